using RegistryUnlearn.Cli.Tests.Support;
using static RegistryUnlearn.Cli.Tests.Support.Make;

namespace RegistryUnlearn.Cli.Tests;

public sealed class InspectGradientsTests
{
    // ReLU networks: one pre-activation of opposite sign within rounding moves the whole gradient, in PyTorch itself as well.
    [Theory]
    [InlineData("mlp", 1e-4)]
    [InlineData("cnn", 1e-3)]
    [InlineData("cnn_fused", 1e-3)]
    [InlineData("resnet", 1e-3)]
    [InlineData("vit", 1e-4)]
    [InlineData("textcnn", 1e-3)]
    public async Task Agrees_with_PyTorch(string name, double tolerance)
    {
        var folder = Fixture.Folder($"gradients/{name}");
        using var work = new Workspace();
        var outcome = await work.RunAsync($"inspect gradients {folder}/model.onnx --batch {folder}/reference.npz --out {{out.npz}}");
        Assert.Equal("", outcome.Error);
        Assert.Equal(ExitCodes.Ok, outcome.Code);
        var expected = Unlearning.Data.NpzReader.ReadAll(Path.Combine(folder, "reference.npz"));
        var actual = work.Read("out.npz");
        string[] wanted = [.. expected.Keys.Where(k => k is "loss" or "logits" || k.StartsWith("grad/") || k.StartsWith("hv/"))];
        Assert.Equal(wanted.Order(StringComparer.Ordinal), actual.Keys.Order(StringComparer.Ordinal));
        foreach (var key in wanted)
            Fixture.Agree(expected[key], actual[key], tolerance);
    }

    [Theory]
    [InlineData("N", "3")]
    [InlineData("2", "3")]
    [InlineData("N", "C")] // the number of classes as ONNX Runtime finds it
    public async Task Gives_the_gradients_of_a_linear_model(string batch, string classes)
    {
        var model = Linear(batch: batch);
        model.Graph.Output[0] = Value("logits", batch, classes);
        using var work = new Workspace().Write("model.onnx", model)
            .Write("batch.npz", Floats("input", [2, 2], 1, 2, 3, 4), Longs("labels", [2], 0, 2));
        var outcome = await work.RunAsync("inspect gradients {model.onnx} --batch {batch.npz} --out {new/out.npz}");
        // At zero weights every probability is 1/3, so the loss is ln 3.
        Assert.Equal(new Outcome(0, """
            parameter  shape  gradient norm  why
            w          3 x 2  1.77951        input 1 of Gemm 'gemm'
            b          3      0.408248       input 2 of Gemm 'gemm'

            Loss 1.09861 on 2 samples.
            Gradients written to new/out.npz

            """, ""), outcome);
        var arrays = work.Read("new/out.npz");
        Assert.Equal(["grad/b", "grad/w", "logits", "loss"], arrays.Keys.Order(StringComparer.Ordinal));
        Assert.Empty(arrays["loss"].Shape);
        Near([1.0986123f], arrays["loss"].ToSingles());
        Near([-1 / 6f, 1 / 3f, -1 / 6f], arrays["grad/b"].ToSingles());
        Near([1 / 6f, 0, 2 / 3f, 1, -5 / 6f, -1], arrays["grad/w"].ToSingles());
        Assert.Equal([2L, 3], arrays["logits"].Shape);
    }

    [Fact]
    public async Task Takes_zeros_for_directions_that_are_missing_and_says_so()
    {
        using var work = new Workspace().Write("model.onnx", Linear())
            .Write("batch.npz", Floats("input", [2, 2], 1, 2, 3, 4), Longs("labels", [2], 0, 2), Floats("v/b", [3], 1, 0, 0));
        var outcome = await work.RunAsync("inspect gradients {model.onnx} --batch {batch.npz} --out {out.npz} --output json");
        Assert.Equal((0, ""), (outcome.Code, outcome.Error));
        Assert.True(outcome.Json().GetProperty("secondOrder").GetBoolean());
        Assert.Equal("No direction is given for 'w': zeros are used.", outcome.Json().GetProperty("notes")[0].GetString());
        var arrays = work.Read("out.npz");
        // H_bb = diag(p) − ppᵀ with p = 1/3; H_wb = H_bb ⊗ the mean sample (2, 3).
        Near([2 / 9f, -1 / 9f, -1 / 9f], arrays["hv/b"].ToSingles());
        Near([4 / 9f, 6 / 9f, -2 / 9f, -3 / 9f, -2 / 9f, -3 / 9f], arrays["hv/w"].ToSingles());
    }

    [Fact]
    public async Task Trains_only_what_the_patterns_select()
    {
        using var work = new Workspace().Write("model.onnx", Linear())
            .Write("batch.npz", Floats("input", [1, 2], 1, 2), Longs("labels", [1], 0), Floats("v/w", [3, 2], 1, 2, 3, 4, 5, 6));
        var outcome = await work.RunAsync("inspect gradients {model.onnx} --batch {batch.npz} --out {out.npz} --exclude w --output json");
        Assert.Equal((0, ""), (outcome.Code, outcome.Error));
        Assert.Equal("The direction for 'w' is ignored: it is not trained.", outcome.Json().GetProperty("notes")[0].GetString());
        Assert.Equal(["grad/b", "logits", "loss"], work.Read("out.npz").Keys.Order(StringComparer.Ordinal));
    }

    static void Near(float[] expected, float[] actual)
    {
        Assert.Equal(expected.Length, actual.Length);
        for (var i = 0; i < expected.Length; i++) Assert.Equal(expected[i], actual[i], 1e-6f);
    }
}
