using Google.Protobuf;
using RegistryUnlearn.Auditing;
using RegistryUnlearn.Conformance;
using RegistryUnlearn.Onnx.Models;
using RegistryUnlearn.Registry;
using RegistryUnlearn.Unlearning.Data;
using RegistryUnlearn.Worker.Jobs;
using RegistryUnlearn.Worker.TrainingRuns;

namespace RegistryUnlearn.Worker.Tests.Jobs;

/// <summary>A language model through whole jobs: tokens in, a row of logits per word out, padding that does not count.</summary>
public sealed class TextJobTests : IDisposable
{
    readonly TempFolder folder = new();
    readonly MemoryStore store = new();

    JobRunner Runner => new(store, new FixedClock(), new JobOptions
    {
        WorkFolder = Path.Combine(folder.Path, "jobs"),
        CommitmentKey = new byte[32],
        CheckpointInterval = TimeSpan.Zero,
    });

    public void Dispose() => folder.Dispose();

    async Task<JobOutcome> RunAsync(string request)
    {
        var job = await Runner.SubmitAsync(request, "request.json", TestContext.Current.CancellationToken);
        return await Runner.RunAsync(job, SilentProgress.Instance, TestContext.Current.CancellationToken);
    }

    [Theory]
    [InlineData("finetune", """{"steps": 4, "batch": 8}""")]
    [InlineData("neggrad+", """{"steps": 4, "batch": 8}""")]
    [InlineData("train", """{"epochs": 2, "batch": 8}""")]
    [InlineData("ltu", """{"steps": 4, "target": "quantile", "evaluateEvery": 2}""")]
    [InlineData("ltu", """{"steps": 4, "target": "quantile", "otherClasses": 0, "order": "off", "preconditioner": "kfac"}""")]
    [InlineData("ltu", """{"steps": 4, "target": "hinge", "order": "first", "preservation": "none", "refit": 2}""")]
    [InlineData("ltu", """{"steps": 4, "target": "non-member"}""")]
    public async Task Every_method_runs_and_is_published(string method, string options)
    {
        await TextRegistry.FillAsync(store);
        var outcome = await RunAsync(TextRegistry.Request(method, options));
        Assert.Equal(2, outcome.Result.Version);
        Assert.All(outcome.Audit!.Rows.SelectMany(r => r.Metrics.Values), value => Assert.True(double.IsFinite(value)));
        var before = outcome.Audit.Rows[0];
        Assert.Equal(
            MeanLoss(TextRegistry.Sentences(0, 40, i => i < 4), 4), before[MetricCatalogue.MeanLoss(AuditSets.Forget)]!.Value, 1e-5);
    }

    /// <summary>Mean over the sentences of the mean cross-entropy of their labelled words, from the definition.</summary>
    static double MeanLoss((long[] Tokens, long[] Labels) set, int count)
    {
        var file = ModelFile.Wrap(TextRegistry.Model(), "model.onnx");
        float[] embedding = file["embedding"].ReadFloats(), head = file["head"].ReadFloats();
        return Enumerable.Range(0, count).Average(n => Enumerable.Range(n * TextRegistry.Length, TextRegistry.Length)
            .Where(i => set.Labels[i] >= 0).Average(i =>
            {
                double[] z = [.. Enumerable.Range(0, TextRegistry.Words).Select(c => Enumerable.Range(0, TextRegistry.Width).Sum(k =>
                    Math.Tanh(embedding[set.Tokens[i] * TextRegistry.Width + k]) * head[k * TextRegistry.Words + c]))];
                return Math.Log(z.Sum(Math.Exp)) - z[set.Labels[i]];
            }));
    }

    [Theory]
    [InlineData("{}", true, "the model answers for positions, and moved views of a sample would need moved labels; "
        + "choose the target quantile, or non-member or hinge of ltu")]
    [InlineData("""{"target": "hinge"}""", false, "cannot be moved; views need numbers with one label per sample, and shifts images of channels × height × width; "
        + "choose another target than views and give a holdout")]
    public async Task Views_of_texts_are_refused_with_what_to_do(string options, bool holdout, string message)
    {
        await TextRegistry.FillAsync(store);
        var request = holdout ? TextRegistry.Request("ltu", options) : TextRegistry.Request("ltu", options, "");
        Assert.Contains(message, (await Assert.ThrowsAsync<DataException>(() => RunAsync(request))).Message);
    }

    [Fact]
    public async Task Mistakes_are_forgotten_and_the_rest_is_kept()
    {
        await TextRegistry.FillAsync(store, Trained(tokensAsInt32: true));
        var outcome = await RunAsync(TextRegistry.Request(
            "ltu", """{"steps": 60, "target": "quantile", "learningRate": 0.02, "otherClasses": 0}"""));
        double Of(int row, string set) => outcome.Audit!.Rows[row][MetricCatalogue.Accuracy(set)]!.Value;
        Assert.InRange(Of(0, AuditSets.Retained), 0.7, 1);
        Assert.InRange(Of(1, AuditSets.Retained), Of(0, AuditSets.Retained) - 0.05, 1);
        Assert.InRange(Of(1, AuditSets.Test), 0.7, 1);
    }

    /// <summary>The model trained on all sentences, those with mistakes included.</summary>
    byte[] Trained(bool tokensAsInt32)
    {
        string model = Path.Combine(folder.Path, "m.onnx"), data = Path.Combine(folder.Path, "d.npz");
        var trained = Path.Combine(folder.Path, "t.onnx");
        File.WriteAllBytes(model, TextRegistry.Model(tokensAsInt32).ToByteArray());
        File.WriteAllBytes(data, TextRegistry.Set(0, 40, i => i < 4));
        var options = Path.Combine(folder.Path, "options.json");
        File.WriteAllText(options, """{"epochs": 60, "batch": 16, "optimizer": "adamw", "learningRate": 0.02}""");
        var report = TrainingRun.Run(
            new(model, data, trained, options, null, Normalization.None, 1, LogitChoice.Default, null),
            new FixedClock(), _ => { }, TestContext.Current.CancellationToken);
        Assert.InRange(report.Train.After, 0.8, 1);
        Assert.InRange(report.Train.Before, 0, 0.5);
        return File.ReadAllBytes(trained);
    }

    public static TheoryData<string, NpyArray[], string> Unfit => new()
    {
        { "floats", [NpyArray.Of<float>("x", [1, 2], [0, 1]), NpyArray.Of<long>("y", [1, 2], [0, 1])],
            "its samples are numbers, the model takes tokens; save them as int64 or int32" },
        { "too wide", [NpyArray.Of<long>("x", [1, 2], [0, 1L << 33]), NpyArray.Of<long>("y", [1, 2], [0, 1])],
            "it has tokens beyond the model's int32 input" },
        { "unknown word", [NpyArray.Of<int>("x", [1, 2], [0, 99]), NpyArray.Of<long>("y", [1, 2], [0, 1])],
            "the model does not run on these samples" },
        { "unknown class", [NpyArray.Of<int>("x", [1, 2], [0, 1]), NpyArray.Of<long>("y", [1, 2], [0, 8])],
            "1 of 2 labels are not below the model's 8 classes" },
    };

    [Theory, MemberData(nameof(Unfit))]
    public void Data_that_does_not_fit_is_refused(string name, NpyArray[] arrays, string message)
    {
        string model = Path.Combine(folder.Path, "m.onnx"), data = Path.Combine(folder.Path, "d.npz");
        File.WriteAllBytes(model, TextRegistry.Model(tokensAsInt32: true).ToByteArray());
        using (var npz = new NpzWriter(File.Create(data)))
            foreach (var array in arrays) npz.Add(array);
        var request = new TrainingRequest(
            model, data, Path.Combine(folder.Path, "o.onnx"), null, null, Normalization.None, 1, LogitChoice.Default, null);
        var error = Assert.ThrowsAny<Exception>(() => TrainingRun.Run(request, new FixedClock(), _ => { }, CancellationToken.None));
        Assert.True(error is DataException or InputException && error.Message.Contains(message), $"{name}: {error}");
    }
}
