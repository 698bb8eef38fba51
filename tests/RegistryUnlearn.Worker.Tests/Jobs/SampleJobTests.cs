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

    public void Dispose() => folder.Dispose();

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
        request["audit"] = new JsonObject { ["oracles"] = "requests/" + oracles };
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
