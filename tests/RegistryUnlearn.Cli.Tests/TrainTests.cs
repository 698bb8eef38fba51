using RegistryUnlearn.Cli.Tests.Support;
using RegistryUnlearn.Onnx.Models;
using static RegistryUnlearn.Cli.Tests.Support.Make;

namespace RegistryUnlearn.Cli.Tests;

public sealed class TrainTests
{
    const string Command = "train {model.onnx} --data {train.npz} --test {test.npz} --scale 2 --mean 0.5,0.5 "
        + "--method-options {options.json} --seed 7 --out ";

    [Fact]
    public async Task Learns_what_a_linear_model_can_learn()
    {
        using var work = Filled();
        var outcome = await work.RunAsync(Command + "{new/trained.onnx} --output json");
        Assert.Equal(0, outcome.Code);
        Assert.Equal(("train", 3, 1 / 3.0, 1.0), Accuracy("train"));
        Assert.Equal(("test", 2, 0.5, 1.0), Accuracy("test"));
        Assert.Equal(300, outcome.Json().GetProperty("steps").GetInt32());
        Assert.Equal("sgd", outcome.Json().GetProperty("options").GetProperty("optimizer").GetProperty("optimizer").GetString());
        Assert.Matches(@"^step 1/300  loss 1\.099  [0-9.]+ steps/s  0:00:[0-9]{2} left\n(.*\n)*step 300/300  loss ", outcome.Error);
        ModelFile before = ModelFile.Load(work["model.onnx"]), after = ModelFile.Load(work["new/trained.onnx"]);
        Assert.NotEqual(before["w"].ReadFloats(), after["w"].ReadFloats());
        before.Model.Graph.Initializer.Clear();
        after.Model.Graph.Initializer.Clear();
        Assert.Equal(before.Model, after.Model);

        (string, int, double, double) Accuracy(string set)
        {
            var accuracy = outcome.Json().GetProperty(set);
            return (set, accuracy.GetProperty("samples").GetInt32(),
                accuracy.GetProperty("before").GetDouble(), accuracy.GetProperty("after").GetDouble());
        }
    }

    [Fact]
    public async Task An_ONNX_Runtime_that_does_not_train_is_one_line_before_any_work()
    {
        using var work = Filled();
        var before = work.Files;
        var outcome = await work.RunAsync(Command + "{o.onnx} --engine ort-training");
        Assert.SkipWhen(outcome.Code == ExitCodes.Ok, "this build has ONNX Runtime Training");
        Assert.Equal(new Outcome(ExitCodes.BadInput, "", "the engine ort-training needs an ONNX Runtime that trains: build with "
            + "'dotnet build -p:OnnxRuntimeFlavor=Training' (package Microsoft.ML.OnnxRuntime.Training)\n"), outcome);
        Assert.Equal(before, work.Files);
    }

    [Fact]
    public async Task The_same_seed_gives_the_same_bytes_also_beside_the_model()
    {
        using var work = Filled();
        Assert.Equal(0, (await work.RunAsync(Command + "{one.onnx}")).Code);
        Assert.Equal(0, (await work.RunAsync(Command + "{two.onnx}")).Code);
        Assert.Equal(File.ReadAllBytes(work["one.onnx"]), File.ReadAllBytes(work["two.onnx"]));
        Assert.Equal(["model.onnx", "one.onnx", "options.json", "test.npz", "train.npz", "two.onnx"], work.Files);
    }

    [Fact]
    public async Task Cancelled_it_leaves_nothing_behind()
    {
        using var work = Filled();
        var before = work.Files;
        using var cancelled = new CancellationTokenSource();
        await cancelled.CancelAsync();
        var outcome = await work.RunAsync(Command + "{o.onnx}", cancelled.Token);
        Assert.Equal(new Outcome(ExitCodes.Cancelled, "", "Cancelled. Nothing was written.\n"), outcome);
        Assert.Equal(before, work.Files);
    }

    static Workspace Filled() => new Workspace().Write("model.onnx", Linear())
        .Write("options.json", """{"epochs":300,"batch":4,"learningRate":0.1}""")
        .Write("train.npz", Floats("x", [3, 2], 2, 1, 1, 2, -1, -1), Longs("y", [3], 0, 1, 2))
        .Write("test.npz", Floats("x", [2, 2], 3, 1, 1, 3), Longs("y", [2], 0, 1));
}
