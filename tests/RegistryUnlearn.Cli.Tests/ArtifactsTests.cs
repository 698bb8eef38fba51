using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Microsoft.ML.OnnxRuntime;
using RegistryUnlearn.Cli.Tests.Support;
using RegistryUnlearn.Onnx.Proto;
using RegistryUnlearn.Onnx.TrainingArtifacts;
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
        var parameters = Checkpoint.Read(work["artifacts/checkpoint"]).Trainable.ToDictionary(
            t => t.Name, t => NpyArray.Of(t.Name, [.. t.Dims], MemoryMarshal.Cast<byte, float>(t.Data.Span)));
        Assert.Equal(inputs.Where(i => i.Value == "parameter").Select(i => i.Key), parameters.Keys);

        var training = Run(work["artifacts/training_model.onnx"], inputs, parameters, reference);
        Assert.Equal(["loss", .. parameters.Keys.Select(p => "gradof::" + p)], training.Keys);
        Fixture.Agree(reference["loss"], training["loss"], 1e-4);
        foreach (var parameter in parameters.Keys)
            Fixture.Agree(reference["grad/" + parameter], training["gradof::" + parameter], tolerance);
        var evaluation = Run(work["artifacts/eval_model.onnx"], inputs, parameters, reference);
        Fixture.Agree(reference["loss"], evaluation["loss"], 1e-4);
        Fixture.Agree(reference["logits"], evaluation[evaluation.Keys.Single(k => k != "loss")], 1e-4);
    }

    [Fact]
    public async Task Lists_what_it_wrote_with_names_roles_and_digests()
    {
        using var work = new Workspace().Write("model.onnx", Linear());
        Assert.Equal(0, (await work.RunAsync("artifacts build {model.onnx} --out {new/artifacts}")).Code);
        Assert.Equal(["artifacts.json", "checkpoint", "eval_model.onnx", "optimizer_model.onnx", "training_model.onnx"],
            Directory.EnumerateFiles(work["new/artifacts"]).Select(Path.GetFileName).Order(StringComparer.Ordinal));
        var index = System.Text.Json.JsonDocument.Parse(File.ReadAllText(work["new/artifacts/artifacts.json"])).RootElement;
        Assert.Equal(("registry-unlearn/training-artifacts/v2", 17, "batch"),
            (index.GetProperty("format").GetString(), index.GetProperty("opset").GetInt32(), index.GetProperty("batch").GetString()));
        Assert.Equal(
            ["x samples FLOAT [batch,2]", "labels labels INT64 [batch]", "w parameter FLOAT [3,2]", "b parameter FLOAT [3]",
                "w_grad.accumulation.buffer buffer FLOAT [3,2]", "b_grad.accumulation.buffer buffer FLOAT [3]",
                "lazy_reset_grad reset BOOL [1]"],
            Values("inputs"));
        Assert.Equal(
            ["loss loss FLOAT []", "gradof::w gradient FLOAT [3,2]", "gradof::b gradient FLOAT [3]",
                "w_grad.accumulation.out accumulated BOOL [1]", "b_grad.accumulation.out accumulated BOOL [1]",
                "logits logits FLOAT [batch,3]"],
            Values("outputs"));
        foreach (var file in index.GetProperty("files").EnumerateArray())
        {
            var bytes = File.ReadAllBytes(work["new/artifacts/" + file.GetProperty("name").GetString()]);
            Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(bytes)), file.GetProperty("sha256").GetString());
        }
        var graph = ModelProto.Parser.ParseFrom(File.ReadAllBytes(work["new/artifacts/training_model.onnx"]));
        Assert.All(graph.Graph.Node, n => Assert.Equal(n.OpType == "InPlaceAccumulatorV2" ? "com.microsoft" : "", n.Domain));

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

    [Theory]
    [InlineData("", "AdamWOptimizer", null)]
    [InlineData("--optimizer sgd", "SGDOptimizerV2", null)]
    [InlineData("--harmonizer --scope tensor --mode symmetric", "AdamWOptimizer", "harmonizer")]
    public async Task Writes_the_optimizer_and_the_harmonizer_asked_for(string options, string optimizer, string? harmonizer)
    {
        using var work = new Workspace().Write("model.onnx", Linear());
        var outcome = await work.RunAsync($"artifacts build {{model.onnx}} --out {{a}} {options} --output json");
        Assert.Equal((0, ""), (outcome.Code, outcome.Error));
        string?[] roles = ["training", "evaluation", "optimizer", harmonizer, "checkpoint"];
        Assert.Equal(roles.Where(r => r is not null),
            outcome.Json().GetProperty("files").EnumerateArray().Select(f => f.GetProperty("role").GetString()));
        var graph = ModelProto.Parser.ParseFrom(File.ReadAllBytes(work["a/optimizer_model.onnx"]));
        Assert.Equal(("com.microsoft", optimizer), (Assert.Single(graph.Graph.Node).Domain, graph.Graph.Node[0].OpType));
    }

    [Theory]
    [InlineData(22, 0, "")]
    [InlineData(99, 2, "model.onnx: ")]
    public async Task Writes_newer_operator_sets_in_the_newest_form_that_the_training_engine_reads(int opset, int code, string error)
    {
        var model = Linear();
        model.OpsetImport[0].Version = opset;
        using var work = new Workspace().Write("model.onnx", model);
        var outcome = await work.RunAsync("artifacts build {model.onnx} --out {a} --output json");
        Assert.Equal(code, outcome.Code);
        Assert.StartsWith(error, outcome.Error);
        if (code == 0) Assert.Equal(21, outcome.Json().GetProperty("opset").GetInt32());
    }

    static Dictionary<string, NpyArray> Run(
        string path, Dictionary<string, string> inputs,
        IReadOnlyDictionary<string, NpyArray> parameters, IReadOnlyDictionary<string, NpyArray> reference)
    {
        using var session = new InferenceSession(path);
        const string buffer = "_grad.accumulation.buffer";
        var feeds = session.InputMetadata.Keys.ToDictionary(k => k, k => inputs[k] switch
        {
            "reset" => OrtValue.CreateTensorValueFromMemory(new[] { true }, [1]),
            "parameter" => Feed(parameters[k]),
            "buffer" => Feed(parameters[k[..^buffer.Length]]),
            "labels" => Feed(reference["labels"]),
            _ => Feed(reference["input"]),
        });
        string[] wanted = [.. session.OutputNames.Where(o => !o.EndsWith("_grad.accumulation.out", StringComparison.Ordinal))];
        using var options = new RunOptions();
        using var results = session.Run(options, feeds, wanted);
        return wanted.Zip(results).ToDictionary(r => r.First, r =>
            NpyArray.Of(r.First, r.Second.GetTensorTypeAndShape().Shape, r.Second.GetTensorDataAsSpan<float>()));
    }

    static OrtValue Feed(NpyArray array) => array.ElementType is NpyElementType.Int64
        ? OrtValue.CreateTensorValueFromMemory(array.ToInt64s(), [.. array.Shape])
        : OrtValue.CreateTensorValueFromMemory(array.ToSingles(), [.. array.Shape]);
}
