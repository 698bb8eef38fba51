using System.Text.Json.Nodes;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;
using RegistryUnlearn.Auditing;
using RegistryUnlearn.Conformance;
using RegistryUnlearn.Onnx.Proto;
using RegistryUnlearn.Registry;
using RegistryUnlearn.Training.Evaluation;
using RegistryUnlearn.Unlearning.Data;
using RegistryUnlearn.Worker.Jobs;
using RegistryUnlearn.Worker.Requests;

namespace RegistryUnlearn.Worker.Tests.Jobs;

/// <summary>Whole jobs on the model that comes with the product.</summary>
public sealed class SampleJobTests : IDisposable
{
    readonly TempFolder folder = new();

    [Fact]
    public async Task The_new_model_differs_in_parameters_and_metadata_only_and_computes_what_the_engine_computed()
    {
        var store = Copy();
        var json = Request("forget-canaries.oracles.json");
        var runner = Runner(store);
        var submitted = await runner.SubmitAsync(json, "request.json", TestContext.Current.CancellationToken);
        await runner.RunAsync(submitted, SilentProgress.Instance, TestContext.Current.CancellationToken);

        ModelProto parent = Parse("digits/1/model.onnx"), child = Parse("digits/2/model.onnx");
        var (request, job) = await PrepareAsync(store, json);
        using var prepared = job;
        using var run = request.Method.Method.Start(prepared.Task, request.Method.Options);
        while (!run.IsDone)
            run.Advance();

        var changed = 0;
        foreach (var parameter in run.Result.Layout)
        {
            TensorProto before = Tensor(parent, parameter.Name), after = Tensor(child, parameter.Name);
            changed += before.RawData.Equals(after.RawData) ? 0 : 1;
            before.RawData = after.RawData;
        }
        Assert.Equal(run.Result.TensorCount, changed);
        Assert.Equal(["registryunlearn.job", "registryunlearn.lineage", "registryunlearn.method", "registryunlearn.parent.sha256"],
            child.MetadataProps.Select(p => p.Key).Except(parent.MetadataProps.Select(p => p.Key)).Order());
        parent.MetadataProps.Clear();
        child.MetadataProps.Clear();
        Assert.Equal(parent, child);

        var samples = SampleSource.Of(prepared.AuditSets[AuditSets.Test]);
        var classes = prepared.Model.Classes;
        float[] engine = new float[samples.Count * classes], inputs = new float[samples.Count * 64];
        using (var evaluator = Evaluator.Frozen(prepared.Model.Forward, run.Result))
            evaluator.Logits(samples.Count, samples.FillFrom, engine);
        samples.FillFrom(0, inputs);
        using var session = new InferenceSession(Path.Combine(folder.Path, "digits/2/model.onnx"));
        var tensor = new DenseTensor<float>(inputs, [samples.Count, .. prepared.Task.Forget!.Data.SampleShape]);
        using var outputs = session.Run([NamedOnnxValue.CreateFromTensor(prepared.Model.Contract.InputName, tensor)]);
        var logits = outputs.Single(o => o.Name == prepared.Model.Contract.LogitsName).AsEnumerable<float>().ToArray();
        Assert.Equal(engine.Length, logits.Length);
        var scale = engine.Max(Math.Abs);
        for (var i = 0; i < logits.Length; i++)
            Assert.InRange(Math.Abs(logits[i] - engine[i]), 0, 1e-5 * Math.Max(1, Math.Abs(engine[i])));
    }

    [Fact]
    public async Task Oracles_of_another_request_are_refused_before_any_work()
    {
        var store = Copy();
        var journal = new Journal();
        var runner = Runner(store);
        var job = await runner.SubmitAsync(Request("forget-random.oracles.json"), "request.json", TestContext.Current.CancellationToken);
        var refusal = await Assert.ThrowsAsync<AuditInputException>(
            () => runner.RunAsync(job, journal, TestContext.Current.CancellationToken));
        Assert.Equal("requests/forget-random.oracles.json: the oracles were made for another model, other data or another forget set; "
            + "make oracles for this request, or leave audit.oracles out", refusal.Message);
        Assert.Equal("fetch", Assert.Single(journal.Stages));
        Assert.False(Directory.Exists(Path.Combine(folder.Path, "digits/2")));
    }

    /// <summary>
    /// Nothing but the request's own data is known: no oracles and no gates. The network is trained from the start without the samples.
    /// </summary>
    [Theory]
    [InlineData("forget-random.json")]
    [InlineData("forget-canaries.json")]
    public async Task A_genuine_retrain_passes_the_default_gates_and_is_published(string name)
    {
        var runner = Runner(Copy());
        var job = await runner.SubmitAsync(
            Plain(name, """{ "name": "retrain", "options": { "epochs": 30 } }""", fraction: 1), "request.json", Stop);
        var outcome = await runner.RunAsync(job, SilentProgress.Instance, Stop);
        Assert.True(outcome.Audit!.HasDefaultGates);
        Assert.Equal(
            [
                "forget.change", "forget-vs-matched.auc-low", "forget-vs-matched.auc-high", "relearn.ratio", "retained.accuracy-drop",
                "kept-classes.accuracy-drop",
            ],
            outcome.Audit.Gates.Select(g => g.Metric));
        Assert.True(File.Exists(Path.Combine(folder.Path, "digits/2/model.onnx")));
    }

    /// <summary>One step that is too small to change anything.</summary>
    [Theory]
    [InlineData("forget-random.json")]
    [InlineData("forget-canaries.json")]
    public async Task The_untouched_original_fails_the_default_gates(string name)
    {
        var runner = Runner(Copy());
        const string nothing = """
            { "name": "finetune", "options": { "steps": 1, "optimizer": "sgd", "learningRate": 1e-8, "stop": "none" } }
            """;
        var job = await runner.SubmitAsync(Plain(name, nothing, fraction: 0.1), "request.json", Stop);
        var refusal = await Assert.ThrowsAsync<GateFailedException>(() => runner.RunAsync(job, SilentProgress.Instance, Stop));
        Assert.Equal(["forget.change", "forget-vs-matched.auc-low", "relearn.ratio"],
            refusal.Audit.Gates.Where(g => !g.Passed).Select(g => g.Metric));
        Assert.Matches(@"forget\.change is 0(\.\d+)?, wanted at least 0\.001, missed by 0\.00\d*", refusal.Message);
        Assert.False(Directory.Exists(Path.Combine(folder.Path, "digits/2")));
    }

    public void Dispose() => folder.Dispose();

    static CancellationToken Stop => TestContext.Current.CancellationToken;

    /// <summary>A request of the sample registry with another method and without anything about the audit.</summary>
    string Plain(string name, string method, double fraction)
    {
        var request = JsonNode.Parse(File.ReadAllText(Path.Combine(folder.Path, "requests", name)))!;
        request["method"] = JsonNode.Parse(method);
        request["retain"] = new JsonObject { ["fraction"] = fraction, ["seed"] = 1 };
        request.AsObject().Remove("audit");
        return request.ToJsonString();
    }

    FolderStore Copy()
    {
        var sample = SampleFolder();
        foreach (var source in Directory.EnumerateFiles(sample, "*", SearchOption.AllDirectories))
        {
            var target = Path.Combine(folder.Path, Path.GetRelativePath(sample, source));
            Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            File.Copy(source, target);
        }
        return new FolderStore(folder.Path);
    }

    static string SampleFolder()
    {
        var root = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(root.FullName, "RegistryUnlearn.sln")))
            root = root.Parent ?? throw new DirectoryNotFoundException("the tests do not lie below the solution");
        return Path.Combine(root.FullName, "onnx-artifacts");
    }

    string Request(string oracles)
    {
        var request = JsonNode.Parse(File.ReadAllText(Path.Combine(folder.Path, "requests/forget-canaries.json")))!;
        request["method"]!["options"] = new JsonObject { ["steps"] = 4, ["evaluateEvery"] = 4 };
        request["audit"] = new JsonObject { ["oracles"] = "requests/" + oracles, ["gates"] = new JsonArray() };
        return request.ToJsonString();
    }

    JobRunner Runner(FolderStore store) => new(store, new FixedClock(), new JobOptions { WorkFolder = Path.Combine(folder.Path, ".work") });

    async Task<(UnlearningRequest, PreparedJob)> PrepareAsync(FolderStore store, string json)
    {
        var request = RequestReader.Read(json, "request.json");
        var parent = await new ModelRegistry(store).ResolveAsync(request.Model);
        var fetched = await FetchedJob.FetchAsync(store, request, parent, Path.Combine(folder.Path, ".again"), default);
        return (request, PreparedJob.Prepare(request, fetched));
    }

    ModelProto Parse(string path) => ModelProto.Parser.ParseFrom(File.ReadAllBytes(Path.Combine(folder.Path, path)));

    static TensorProto Tensor(ModelProto model, string name) => model.Graph.Initializer.Single(t => t.Name == name);
}
