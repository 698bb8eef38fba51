using System.Security.Cryptography;
using Microsoft.ML.OnnxRuntime;
using RegistryUnlearn.Cli.Tests.Support;
using RegistryUnlearn.Onnx.Proto;
using RegistryUnlearn.Unlearning.Data;
using static RegistryUnlearn.Cli.Tests.Support.Make;

namespace RegistryUnlearn.Cli.Tests;

public sealed class ArtifactsTests
{
    [Theory]
    [InlineData("mlp", 1e-4)]
    [InlineData("cnn", 1e-3)]
    [InlineData("textcnn", 1e-3)]
    public async Task Stock_ONNX_Runtime_computes_the_gradients_of_PyTorch(string name, double tolerance)
    {
        var folder = Fixture.Folder($"gradients/{name}");
        using var work = new Workspace();
        var outcome = await work.RunAsync($"artifacts build {folder}/model.onnx --out {{artifacts}} --output json");
        Assert.Equal((0, ""), (outcome.Code, outcome.Error));
        var reference = NpzReader.ReadAll(Path.Combine(folder, "reference.npz"));
        var inputs = outcome.Json().GetProperty("inputs").EnumerateArray()
            .ToDictionary(i => i.GetProperty("name").GetString()!, i => i.GetProperty("role").GetString()!);
        var parameters = work.Read("artifacts/parameters.npz");
        Assert.Equal(inputs.Where(i => i.Value == "parameter").Select(i => i.Key), parameters.Keys);

        var training = Run(work["artifacts/training_model.onnx"], inputs, parameters, reference);
        Assert.Equal(["loss", .. parameters.Keys.Select(p => p + "_grad")], training.Keys);
        Fixture.Agree(reference["loss"], training["loss"], 1e-4);
        foreach (var parameter in parameters.Keys)
            Fixture.Agree(reference["grad/" + parameter], training[parameter + "_grad"], tolerance);
        var evaluation = Run(work["artifacts/eval_model.onnx"], inputs, parameters, reference);
        Fixture.Agree(reference["loss"], evaluation["loss"], 1e-4);
        Fixture.Agree(reference["logits"], evaluation[evaluation.Keys.Single(k => k != "loss")], 1e-4);
    }

    [Fact]
    public async Task Lists_what_it_wrote_with_names_roles_and_digests()
    {
        using var work = new Workspace().Write("model.onnx", Linear());
        Assert.Equal(0, (await work.RunAsync("artifacts build {model.onnx} --out {new/artifacts}")).Code);
        Assert.Equal(["artifacts.json", "eval_model.onnx", "parameters.npz", "training_model.onnx"],
            Directory.EnumerateFiles(work["new/artifacts"]).Select(Path.GetFileName).Order(StringComparer.Ordinal));
        var index = System.Text.Json.JsonDocument.Parse(File.ReadAllText(work["new/artifacts/artifacts.json"])).RootElement;
        Assert.Equal(("registry-unlearn/training-artifacts/v1", 17, "batch"),
            (index.GetProperty("format").GetString(), index.GetProperty("opset").GetInt32(), index.GetProperty("batch").GetString()));
        Assert.Equal(
            ["x samples FLOAT [batch,2]", "labels labels INT64 [batch]", "w parameter FLOAT [3,2]", "b parameter FLOAT [3]"],
            Values("inputs"));
        Assert.Equal(
            ["loss loss FLOAT []", "w_grad gradient FLOAT [3,2]", "b_grad gradient FLOAT [3]", "logits logits FLOAT [batch,3]"],
            Values("outputs"));
        foreach (var file in index.GetProperty("files").EnumerateArray())
        {
            var bytes = File.ReadAllBytes(work["new/artifacts/" + file.GetProperty("name").GetString()]);
            Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(bytes)), file.GetProperty("sha256").GetString());
        }
        var graph = ModelProto.Parser.ParseFrom(File.ReadAllBytes(work["new/artifacts/training_model.onnx"]));
        Assert.All(graph.Graph.Node, n => Assert.Equal("", n.Domain));

        string[] Values(string list) => [.. index.GetProperty(list).EnumerateArray().Select(v =>
            $"{v.GetProperty("name")} {v.GetProperty("role")} {v.GetProperty("type")} "
            + $"[{string.Join(",", v.GetProperty("shape").EnumerateArray())}]")];
    }

    [Fact]
    public async Task Replaces_its_own_artifacts_by_the_same_bytes_and_nothing_else()
    {
        using var work = new Workspace().Write("model.onnx", Linear());
        Assert.Equal(0, (await work.RunAsync("artifacts build {model.onnx} --out {a}")).Code);
        var first = Directory.EnumerateFiles(work["a"]).ToDictionary(f => f, File.ReadAllBytes);
        Assert.Equal(0, (await work.RunAsync("artifacts build {model.onnx} --out {a}/")).Code);
        Assert.All(first, f => Assert.Equal(f.Value, File.ReadAllBytes(f.Key)));
        work.Write("a/mine.txt", "kept");
        Assert.Equal(ExitCodes.BadInput, (await work.RunAsync("artifacts build {model.onnx} --out {a}")).Code);
        Assert.Equal("kept", File.ReadAllText(work["a/mine.txt"]));
        Assert.Equal(["a", "model.onnx"], work.Files);
    }

    [Fact]
    public async Task Refuses_names_that_read_as_gradients()
    {
        var model = Linear();
        model.Graph.Initializer[1].Name = model.Graph.Node[0].Input[2] = "w_grad";
        using var work = new Workspace().Write("model.onnx", model);
        Assert.Equal(
            new Outcome(2, "", "model.onnx: value 'w_grad': has a name that the training artifacts use for something else. "
                + "Rename it in the model, or exclude the parameter\n"),
            await work.RunAsync("artifacts build {model.onnx} --out {a}"));
    }

    static Dictionary<string, NpyArray> Run(
        string path, Dictionary<string, string> inputs,
        IReadOnlyDictionary<string, NpyArray> parameters, IReadOnlyDictionary<string, NpyArray> reference)
    {
        using var session = new InferenceSession(path);
        var feeds = session.InputMetadata.Keys.ToDictionary(k => k, k => Feed(inputs[k] switch
        {
            "parameter" => parameters[k],
            "labels" => reference["labels"],
            _ => reference["input"],
        }));
        using var options = new RunOptions();
        using var results = session.Run(options, feeds, session.OutputNames);
        return session.OutputNames.Zip(results).ToDictionary(r => r.First, r =>
            NpyArray.Of(r.First, r.Second.GetTensorTypeAndShape().Shape, r.Second.GetTensorDataAsSpan<float>()));
    }

    static OrtValue Feed(NpyArray array) => array.ElementType is NpyElementType.Int64
        ? OrtValue.CreateTensorValueFromMemory(array.ToInt64s(), [.. array.Shape])
        : OrtValue.CreateTensorValueFromMemory(array.ToSingles(), [.. array.Shape]);
}
