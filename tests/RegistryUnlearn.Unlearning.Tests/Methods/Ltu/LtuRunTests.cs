using System.Globalization;
using System.Text.RegularExpressions;
using RegistryUnlearn.Training.Harmonization;
using RegistryUnlearn.Unlearning.Methods;
using RegistryUnlearn.Unlearning.Methods.Ltu;
using RegistryUnlearn.Unlearning.Runs;

namespace RegistryUnlearn.Unlearning.Tests.Methods.Ltu;

public partial class LtuRunTests
{
    /// <summary>Memorised wrong labels go, what the model knows stays, with and without the meta-step and harmonization.</summary>
    [Theory]
    [InlineData(MetaStep.Exact, HarmonizationMode.ProtectRemember)]
    [InlineData(MetaStep.First, HarmonizationMode.ProtectRemember)]
    [InlineData(MetaStep.Exact, HarmonizationMode.Off)]
    [InlineData(MetaStep.Off, HarmonizationMode.Off)]
    public void Forgets_memorised_labels(MetaStep order, HarmonizationMode harmonization)
    {
        using var run = Run(LtuVariants.Full with { Order = order, Harmonization = harmonization }, Blobs.Task());

        Assert.Equal(1, Blobs.Accuracy(Blobs.Model.Parameters, Blobs.Forget));
        Assert.InRange(Blobs.Accuracy(run.Result, Blobs.Forget), 0, 0.25);
        Assert.InRange(Blobs.Accuracy(run.Result, Blobs.Retained), Blobs.Accuracy(Blobs.Model.Parameters, Blobs.Retained) - 0.05, 1);
        Assert.InRange(Blobs.Accuracy(run.Result, Blobs.Holdout), Blobs.Accuracy(Blobs.Model.Parameters, Blobs.Holdout) - 0.05, 1);
        Assert.InRange(Chosen(run).Score, 0, 0.3);
        Assert.Contains(run.Notes, note => note.StartsWith("Views confirm the labels of only ", StringComparison.Ordinal));
    }

    /// <summary>Where nothing gets better the original is handed over.</summary>
    [Fact]
    public void Hands_over_the_original_when_no_step_is_better()
    {
        using var run = Run(LtuVariants.Full with
        {
            Steps = 4,
            ForgetWeight = 0,
            EvaluateEvery = 1,
            Optimizer = LtuVariants.Full.Optimizer with { LearningRate = 1e-8f }
        }, Blobs.Task());

        Assert.Equal("No step served: each lost more than 3 % of the reference samples or came out worse than nothing done. "
            + "The model is as it was.", run.Notes[^1]);
        Assert.Equal(Tiny.Values(Blobs.Model.Parameters), Tiny.Values(run.Result));
        Assert.NotEqual(Tiny.Values(Blobs.Model.Parameters), Tiny.Values(run.Parameters));
    }

    /// <summary>A learning rate that is far too high is lowered until steps are finite, and the run goes on.</summary>
    [Theory]
    [InlineData(3)]
    [InlineData(10)]
    public void Goes_back_and_on_more_slowly_when_it_diverges(float learningRate)
    {
        using var run = Run(LtuVariants.Full with
        {
            Steps = 30,
            Order = MetaStep.Off,
            EvaluateEvery = 2,
            Optimizer = new(OptimizerKind.Sgd, learningRate, 0.9f, 0, Schedule.Constant),
        }, Blobs.Task());

        Assert.Contains(run.Notes, note => note.StartsWith("The steps diverged ", StringComparison.Ordinal));
        Assert.Equal(30, run.Traces.Count);
        Assert.All(Tiny.Values(run.Result), value => Assert.True(float.IsFinite(value)));
    }

    [Fact]
    public void Works_without_a_holdout_and_says_so()
    {
        using var run = Run(LtuVariants.Full, Blobs.Task(holdout: false));

        Assert.Contains(run.Notes,
            note => note.StartsWith("There is no holdout: moved retained samples stand in for ", StringComparison.Ordinal));
        Assert.InRange(Blobs.Accuracy(run.Result, Blobs.Forget), 0, 0.5);
        Assert.InRange(Blobs.Accuracy(run.Result, Blobs.Retained), 0.95, 1);
    }

    [Fact]
    public void Views_that_betray_membership_are_reported()
    {
        // Samples of the training set pose as retained, all of them right; the holdout's labels are replaced by wrong ones.
        var wrong = Blobs.Data.Rows(0, Blobs.Wrong, "holdout");
        var task = Blobs.Task() with { Holdout = wrong, Forget = Blobs.Data.Rows(Blobs.Wrong + 40, Blobs.Wrong + 60, "forget") };
        using var run = Run(LtuVariants.Full with { Steps = 2 }, task);

        Assert.Contains(run.Notes, note => note.EndsWith("too well to serve as target; holdout quantiles by own rank are used instead.",
            StringComparison.Ordinal));
    }

    [Fact]
    public void A_single_sample_of_each_kind_is_enough()
    {
        var task = Blobs.Task() with
        {
            Forget = Blobs.Data.Rows(0, 1, "forget"),
            Retained = Blobs.Data.Rows(20, 22, "retained"),
            Holdout = Blobs.Data.Rows(Blobs.Trained, Blobs.Trained + 1, "holdout"),
        };
        using var run = Run(LtuVariants.Full with { Steps = 3 }, task);

        Assert.All(Tiny.Values(run.Result), value => Assert.True(float.IsFinite(value)));
    }

    [Theory]
    [InlineData(ForgetTarget.Views, true)]
    [InlineData(ForgetTarget.Views, false)]
    [InlineData(ForgetTarget.Quantile, false)]
    [InlineData(ForgetTarget.Quantile, true)]
    [InlineData(ForgetTarget.Hinge, true)]
    public void Tables_have_perturbed_views(ForgetTarget target, bool holdout)
    {
        using var model = TableModel();
        var task = Table(model, holdout);
        using var run = Run(LtuVariants.Full with { Steps = 2, Target = target, Views = ViewKind.Auto }, task);

        Assert.Equal(2, run.Traces.Count);
        Assert.All(Tiny.Values(run.Result), value => Assert.True(float.IsFinite(value)));
        Assert.Equal(!holdout, run.Notes.Any(note => note.StartsWith("There is no holdout", StringComparison.Ordinal)));
        Assert.Equal(target is ForgetTarget.Views && holdout,
            run.Notes.Any(note => note.StartsWith("Views with noise or swapped values tell retained from holdout samples", StringComparison.Ordinal)));
    }

    /// <summary>A kind of view that the samples do not have leaves ranks.</summary>
    [Fact]
    public void Tables_have_no_shifts()
    {
        using var model = TableModel();
        using var run = Run(LtuVariants.Full with { Steps = 2, Views = ViewKind.HalfShifts }, Table(model, holdout: true));

        Assert.Equal("These samples have no such views; holdout quantiles by own rank are used as target.", run.Notes[0]);
    }

    static TinyModel TableModel() => Tiny.Perceptron(
        4, 3, 3, Tiny.Wave(12, 1.7, 0.3), Tiny.Wave(3, 0.9, 0.5), Tiny.Wave(9, 2.3, 0.1), Tiny.Wave(3, 1.1, 0.2));

    static UnlearningTask Table(TinyModel model, bool holdout)
    {
        var data = Tiny.Data(Tiny.Wave(30 * 4, 0.8, 0.4, 2), [4], [.. Enumerable.Range(0, 30).Select(i => (long)(i % 3))]);
        return new(model.Forward, model.Parameters, 3, data.Rows(0, 6, "forget"), data.Rows(6, 18, "retained"),
            holdout ? data.Rows(18, 30, "holdout") : null, 18, 1);
    }

    static MethodRun Run(LtuOptions options, UnlearningTask task)
    {
        var run = new LtuMethod().Start(task, options);
        while (!run.IsDone)
            run.Advance();
        return run;
    }

    static (int Step, double Score) Chosen(MethodRun run)
    {
        var match = ChosenNote().Match(run.Notes[^1]);
        return (int.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture),
            double.Parse(match.Groups[2].Value, CultureInfo.InvariantCulture));
    }

    [GeneratedRegex(@"^The stop rule chose step (\d+) of \d+ \(score (\d\.\d{3}); 0 is like retraining, about 0\.6 is nothing done\)\.$")]
    private static partial Regex ChosenNote();
}
