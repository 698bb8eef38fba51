using RegistryUnlearn.Unlearning.Methods;
using RegistryUnlearn.Unlearning.Methods.Ltu;
using RegistryUnlearn.Unlearning.Runs;
using RegistryUnlearn.Unlearning.Tests.Methods.Ltu;

namespace RegistryUnlearn.Unlearning.Tests.Methods;

/// <summary>
/// Same seed, same bytes, also across a kill: a run that is saved, thrown away and restored in a new object ends in the same state as one
/// that was never interrupted.
/// </summary>
public class ResumeTests
{
    const string Sgd = "\"optimizer\": \"sgd\", \"learningRate\": 0.01, \"momentum\": 0.9, \"schedule\": \"linear\"";
    const string Adam = "\"optimizer\": \"adamw\", \"learningRate\": 0.001, \"weightDecay\": 0.01, \"schedule\": \"cosine\"";

    [Theory]
    [InlineData("finetune", "{\"steps\": 7, \"batch\": 16, " + Sgd + "}")]
    [InlineData("finetune", "{\"steps\": 7, \"batch\": 16, " + Adam + "}")]
    [InlineData("neggrad+", "{\"steps\": 7, \"batch\": 16, \"alpha\": 0.9, \"anchor\": 0.1, " + Sgd + "}")]
    [InlineData("neggrad+", "{\"steps\": 7, \"batch\": 16, \"alpha\": 0.9, " + Adam + "}")]
    [InlineData("lur", "{\"steps\": 7, \"batch\": 16, " + Sgd + "}")]
    [InlineData("srl", "{\"steps\": 7, \"batch\": 16, " + Adam + "}")]
    [InlineData("salun", "{\"steps\": 7, \"batch\": 16, " + Sgd + "}")]
    [InlineData("scrub", "{\"steps\": 7, \"batch\": 16, " + Adam + "}")]
    [InlineData("bad-teacher", "{\"steps\": 7, \"batch\": 16, " + Adam + "}")]
    [InlineData("l1-sparse", "{\"steps\": 7, \"batch\": 16, " + Sgd + "}")]
    [InlineData("cf-k", "{\"steps\": 7, \"batch\": 16, " + Sgd + "}")]
    [InlineData("eu-k", "{\"steps\": 7, \"batch\": 16, " + Sgd + "}")]
    [InlineData("msg", "{\"steps\": 7, \"batch\": 16, " + Sgd + "}")]
    [InlineData("ct", "{\"steps\": 7, \"batch\": 16, " + Adam + "}")]
    [InlineData("retrain", "{\"epochs\": 3, \"batch\": 15, " + Adam + "}")]
    [InlineData("train", "{\"epochs\": 3, \"batch\": 15, " + Sgd + "}")]
    [InlineData("train", "{\"epochs\": 3, \"batch\": 15, " + Adam + "}")]
    public void A_baseline_goes_on_where_it_was(string method, string json)
    {
        var named = MethodCatalog.Find(method)!;
        Check(named, Tiny.Options(named, json));
    }

    public static TheoryData<int> Variants { get; } = new(Enumerable.Range(0, LtuVariants.Few.Count()));

    [Theory, MemberData(nameof(Variants))]
    public void Learning_to_unlearn_goes_on_where_it_was(int variant) =>
        Check(MethodCatalog.Find("ltu")!, LtuVariants.Few.ElementAt(variant));

    /// <summary>A run that has gone back to slower steps keeps to them.</summary>
    [Fact]
    public void A_run_that_diverged_goes_on_where_it_was()
    {
        var options = LtuVariants.Full with
        {
            Steps = 30,
            Order = MetaStep.Off,
            EvaluateEvery = 2,
            Optimizer = new(OptimizerKind.Sgd, 10, 0.9f, 0, Schedule.Constant),
        };
        using MethodRun whole = new LtuMethod().Start(Blobs.Task(), options), killed = new LtuMethod().Start(Blobs.Task(), options),
            resumed = new LtuMethod().Start(Blobs.Task(), options);
        Finish(whole);
        while (killed.Step < 20)
            killed.Advance();
        Assert.Contains(killed.Notes, note => note.StartsWith("The steps diverged ", StringComparison.Ordinal));
        resumed.Restore(new MemoryStream(State(killed)));
        Finish(resumed);

        Assert.Equal(State(whole), State(resumed));
        Assert.Equal(whole.Notes, resumed.Notes);
    }

    /// <summary>The table of variants has every pair of target, order and another choice.</summary>
    [Fact]
    public void All_choices_are_among_the_variants()
    {
        Assert.Equal(4 * 3, LtuVariants.Few.Select(o => (o.Target, o.Order)).Distinct().Count());
        Assert.Equal(4 * 3, LtuVariants.Few.Select(o => (o.Target, o.Harmonization)).Distinct().Count());
        Assert.Equal(3 * 3, LtuVariants.Few.Select(o => (o.Order, o.Harmonization)).Distinct().Count());
        Assert.Equal(4 * 2, LtuVariants.Few.Select(o => (o.Target, o.Scope)).Distinct().Count());
        Assert.Equal(4 * 2, LtuVariants.Few.Select(o => (o.Target, o.Preservation)).Distinct().Count());
        Assert.Equal(4 * 2, LtuVariants.Few.Select(o => (o.Target, o.Preconditioner)).Distinct().Count());
        Assert.Equal(3 * 2, LtuVariants.Few.Select(o => (o.Order, o.Preconditioner)).Distinct().Count());
        Assert.Equal(4 * 4, LtuVariants.Few.Select(o => (o.Target, o.Views)).Distinct().Count());
    }

    [Theory]
    [InlineData("finetune", "{\"steps\": 2, \"batch\": 16}")]
    [InlineData("neggrad+", "{\"steps\": 2, \"batch\": 8}")]
    [InlineData("train", "{\"epochs\": 1, \"batch\": 16}")]
    [InlineData("ltu", "{\"steps\": 2, \"forgetBatch\": 8, \"retainedBatch\": 8}")]
    public void Another_seed_takes_another_way(string method, string json)
    {
        var states = new List<byte[]>();
        foreach (var seed in new ulong[] { 1, 2 })
        {
            var named = MethodCatalog.Find(method)!;
            using var run = named.Start(Blobs.Task(seed), Tiny.Options(named, json));
            Finish(run);
            states.Add(State(run));
        }

        Assert.NotEqual(states[0], states[1]);
    }

    static void Check(IUnlearningMethod method, object options)
    {
        using var whole = method.Start(Blobs.Task(), options);
        using var killed = method.Start(Blobs.Task(), options);
        using var resumed = method.Start(Blobs.Task(), options);
        Finish(whole);
        for (var step = 0; step < 3; step++)
            killed.Advance();
        using var state = new MemoryStream(State(killed));
        resumed.Restore(state);
        Assert.Equal(state.Length, state.Position);
        Assert.Equal(3, resumed.Step);
        Finish(resumed);

        Assert.Equal(State(whole), State(resumed));
        Assert.Equal(Tiny.Values(whole.Result), Tiny.Values(resumed.Result));
        Assert.Equal(whole.Notes, resumed.Notes);
        Assert.NotEqual(Tiny.Values(Blobs.Model.Parameters), Tiny.Values(whole.Parameters));
        Assert.Throws<InvalidOperationException>(whole.Advance);
        CheckTraces(whole);
    }

    static void CheckTraces(MethodRun run)
    {
        Assert.Equal(run.Steps, run.Traces.Count);
        Assert.All(Tiny.Values(run.Result).Concat(Tiny.Values(run.Parameters)), value => Assert.True(float.IsFinite(value)));
        Assert.All(run.Traces, trace =>
        {
            Assert.InRange(trace.RememberLoss, 0, 100);
            Assert.InRange(trace.ForgetLoss ?? 0, 0, 100);
            Assert.InRange(trace.Cosine ?? 0, -1, 1);
            Assert.InRange(trace.Fired ?? 0, 0, 1);
            Assert.InRange(trace.KeptForgetNorm ?? 0, 0, 1.0001f);
        });
        Assert.All(run.Notes, note => Assert.Matches(@"^[A-Z].*[.]$", note));
    }

    static void Finish(MethodRun run)
    {
        while (!run.IsDone)
            run.Advance();
    }

    static byte[] State(MethodRun run)
    {
        using var stream = new MemoryStream();
        run.Save(stream);
        return stream.ToArray();
    }
}
