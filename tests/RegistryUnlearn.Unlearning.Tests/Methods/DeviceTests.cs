using Microsoft.ML.OnnxRuntime;
using RegistryUnlearn.Training.Devices;
using RegistryUnlearn.Unlearning.Methods;
using RegistryUnlearn.Unlearning.Methods.Ltu;
using RegistryUnlearn.Unlearning.Tests.Methods.Ltu;

namespace RegistryUnlearn.Unlearning.Tests.Methods;

/// <summary>
/// Whole runs whose blocks are in the memory of a device, which the host cannot read: the CPU provider in the GPU's place. They take the
/// steps of runs in the host's memory, whose numbers the other tests know.
/// </summary>
public class DeviceTests
{
    const string Sgd = "\"optimizer\": \"sgd\", \"learningRate\": 0.01, \"momentum\": 0.9, \"weightDecay\": 0.01";
    const string Adam = "\"optimizer\": \"adamw\", \"learningRate\": 0.001, \"weightDecay\": 0.01";

    static readonly ExecutionDevice Apart = new("test", _ => { }, () => OrtMemoryInfo.DefaultInstance);

    [Theory]
    [InlineData("finetune", "{\"steps\": 6, \"batch\": 16, \"evaluateEvery\": 2, " + Sgd + "}")]
    [InlineData("neggrad+", "{\"steps\": 6, \"batch\": 16, \"alpha\": 0.9, \"anchor\": 0.1, \"stop\": \"none\", " + Sgd + "}")]
    [InlineData("neggrad+", "{\"steps\": 6, \"batch\": 16, \"alpha\": 0.9, " + Adam + "}")]
    [InlineData("train", "{\"epochs\": 2, \"batch\": 15, " + Adam + "}")]
    public void A_baseline_takes_the_same_steps(string method, string json)
    {
        var named = MethodCatalog.Find(method)!;
        Check(named, Tiny.Options(named, json));
    }

    /// <summary>Every target with one order, and both optimizers with each.</summary>
    static readonly LtuOptions[] Few = [.. LtuVariants.Few.Where(o => (int)o.Order == (int)o.Target % 3)];

    public static TheoryData<int> Variants { get; } = new(Enumerable.Range(0, Few.Length));

    [Theory, MemberData(nameof(Variants))]
    public void Learning_to_unlearn_takes_the_same_steps(int variant) => Check(new LtuMethod(), Few[variant]);

    [Fact]
    public void All_that_differs_on_a_device_is_among_the_variants()
    {
        Assert.Equal(3, Few.Select(o => o.Order).Distinct().Count());
        Assert.Equal(3, Few.Select(o => o.Harmonization).Distinct().Count());
        Assert.Equal(2, Few.Select(o => o.Scope).Distinct().Count());
        Assert.Equal(2, Few.Select(o => o.Preconditioner).Distinct().Count());
        Assert.Equal(2, Few.Select(o => o.Optimizer.Optimizer).Distinct().Count());
    }

    [Fact]
    public void A_step_that_is_not_finite_is_not_applied()
    {
        var method = MethodCatalog.Find("finetune")!;
        var task = OnDevice();
        using var run = method.Start(task, Tiny.Options(method,
            """{"steps": 60, "batch": 16, "stop": "none", "optimizer": "sgd", "learningRate": 10, "schedule": "constant"}"""));
        var before = Tiny.Values(run.Result);
        var thrown = Assert.Throws<DivergedException>(() =>
        {
            for (; !run.IsDone; run.Advance())
                before = Tiny.Values(run.Result);
        });
        Assert.Equal(run.Step, thrown.Step);
        Assert.Equal(before, Tiny.Values(run.Result));
    }

    /// <summary>A run on the device, broken off after three steps and restored, against one in the host's memory.</summary>
    static void Check(IUnlearningMethod method, object options)
    {
        using var host = method.Start(Blobs.Task(), options);
        using var first = method.Start(OnDevice(), options);
        using var second = method.Start(OnDevice(), options);
        Assert.Null(host.Parameters.Device);
        Assert.Same(Apart, first.Parameters.Device);
        while (!host.IsDone)
            host.Advance();
        for (var step = 0; step < 3; step++)
            first.Advance();
        using var state = new MemoryStream();
        first.Save(state);
        state.Position = 0;
        second.Restore(state);
        while (!second.IsDone)
            second.Advance();

        Assert.Same(Apart, second.Parameters.Device);
        using var parameters = second.Parameters.ToHost();
        Tiny.AssertClose([.. Tiny.Values(host.Parameters).Select(v => (double)v)], Tiny.Values(parameters), 2e-6);
        Tiny.AssertClose([.. Tiny.Values(host.Result).Select(v => (double)v)], Tiny.Values(second.Result), 2e-6);
        Assert.Equal(host.Notes, second.Notes);
        foreach (var (expected, actual) in host.Traces.Zip(second.Traces))
            Tiny.AssertClose(Numbers(expected), [.. Numbers(actual).Select(n => (float)n)], 1e-4);
    }

    static double[] Numbers(StepTrace trace) =>
        [trace.RememberLoss, trace.ForgetLoss ?? 0, trace.Cosine ?? 0, trace.Fired ?? 0, trace.KeptForgetNorm ?? 0];

    static UnlearningTask OnDevice() => Blobs.Task() with { Device = Apart };
}
