using RegistryUnlearn.Unlearning.Data;
using RegistryUnlearn.Unlearning.Probes;
using RegistryUnlearn.Unlearning.Tests.Methods;

namespace RegistryUnlearn.Unlearning.Tests.Probes;

public sealed class RelearnProbeTests : IDisposable
{
    readonly RelearnProbe probe = new(Blobs.Task());

    [Fact]
    public void What_was_memorised_is_there_at_once_and_what_was_never_seen_takes_steps()
    {
        RelearnSamples known = Samples(Blobs.Forget), unseen = known with { Rows = Blobs.Holdout.Rows[..Blobs.Wrong].ToArray() };
        var target = probe.Loss(Blobs.Model.Parameters, known);
        Assert.Equal(0, probe.Steps(Blobs.Model.Parameters, known, target));
        Assert.True(probe.Steps(Blobs.Model.Parameters, unseen, Math.Max(target, .5)) > 2);
    }

    [Fact]
    public void Steps_lie_between_the_losses_around_the_target_and_repeat_exactly()
    {
        var start = Blobs.Model.Parameters;
        var samples = Samples(Blobs.Forget) with { Rows = Blobs.Holdout.Rows[..Blobs.Wrong].ToArray() };
        var loss = probe.Loss(start, samples);
        double near = Steps(.9), far = Steps(.5);
        Assert.InRange(near, 0, far);
        Assert.NotEqual(Math.Round(far), far);
        Assert.Equal(far, Steps(.5));
        Assert.Equal(RelearnProbe.MostSteps, Steps(1e-9));
        Assert.Equal(loss, probe.Loss(start, samples));

        double Steps(double share) => probe.Steps(start, samples, share * loss)!.Value;
    }

    [Fact]
    public void What_diverges_has_no_number()
    {
        using var broken = Blobs.Model.Parameters.Clone();
        broken[0].Fill(float.NaN);
        Assert.Null(probe.Steps(broken, Samples(Blobs.Forget), 1));
    }

    public void Dispose() => probe.Dispose();

    static RelearnSamples Samples(Subset subset) => new(
        subset.Data, subset.Rows.ToArray(), [.. subset.Rows.ToArray().Select(row => subset.Data.Labels[row])]);
}
