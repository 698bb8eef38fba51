using RegistryUnlearn.Training.Evaluation;
using RegistryUnlearn.Unlearning.Data;
using RegistryUnlearn.Unlearning.Methods;
using RegistryUnlearn.Unlearning.Methods.Ltu;

namespace RegistryUnlearn.Unlearning.Tests.Methods.Ltu;

/// <summary>
/// A linear model on 37 images of 3×3 sine waves: rows 0..11 to forget, 12..21 retained, 22..36 holdout. Expected numbers were computed
/// with NumPy and PyTorch in float64 from the written formulas.
/// </summary>
public class ForgetTargetsTests
{
    const int Images = 37, Classes = 3;

    /// <summary>Every fourth sample has a label that the model does not predict.</summary>
    static readonly long[] Plain = [2, 1, 2, 1, 2, 2, 1, 1, 0, 2, 1, 2, 0, 1, 1, 2, 1, 1, 2, 2, 2, 2, 2, 1, 2, 2, 1, 1, 0, 2, 1, 2, 0, 1, 1,
        2, 2];

    [Fact]
    public void View_ranks_become_quantiles_of_the_lowered_holdout_level()
    {
        var targets = Targets(Plain);

        Tiny.AssertClose(
            [-6.3127026, 0.4397839, 5.8911936, 1.0507886, -5.6801394, 5.7465295, -0.2050286, 1.7544758, -4.7992261, 2.584881, 1.48571,
                0.0410057],
            targets.Confidences, 2e-5);
        Tiny.AssertClose(
            [
                0.06973822, 0.9302618, 0, 0.5789641, 0, 0.4210359, 0.888535, 0.111465, 0, 0.9794751, 0, 0.02052486, 0.1033392, 0.8966608, 0,
                0.8721108, 0.1278892, 0,
                0.537458, 0, 0.462542, 0.9991194, 0, 0.0008805506, 0, 0.005795055, 0.9942049, 0.8179724, 0.1820276, 0, 0.9992506, 0,
                0.0007493565, 0.4745275, 0.5254725, 0,
            ],
            targets.Others, 2e-5);
        Assert.False(targets.LabelsSuspect);
        Assert.Equal(
            [
                "Views tell retained from holdout samples with AUC 0.46 (0.5 is ideal).",
                "The non-member level is lowered by 0.86 because a retrained model sees 12 of 60 samples less.",
            ],
            targets.Notes);
    }

    [Theory]
    [InlineData(null)]
    [InlineData(12)]
    public void The_level_stays_where_the_training_size_is_not_known(int? trainingCount)
    {
        var (lowered, kept) = (Targets(Plain), Targets(Plain, trainingCount: trainingCount));

        for (var i = 0; i < 12; i++)
            Assert.Equal(0.861462, kept.Confidences[i] - lowered.Confidences[i], 1e-5);
        Assert.Single(kept.Notes);
    }

    [Fact]
    public void Labels_that_the_views_deny_get_the_scores_of_wrong_labels()
    {
        var labels = Wrong(Plain, 0, 12);
        var targets = Targets(labels);

        Tiny.AssertClose(
            [-7.566562, -2.356034, -7.114842, -3.512272, -6.659695, -5.126672, -1.773966, -9.608378, -2.932327, -2.643161, -8.681688,
                -0.9414053],
            targets.Confidences, 2e-5);
        Tiny.AssertClose(
            [
                0.06973822, 0.9302618, 0, 0.2940943, 0.7059057, 0, 0, 0.0001074486, 0.9998926, 0.1718216, 0.8281784, 0, 0.1033392,
                0.8966608, 0, 0, 0.0001951407, 0.9998049,
                0.4920854, 0.5079146, 0, 0.0612659, 0.9387341, 0, 0, 0.005795055, 0.9942049, 0, 0.005536715, 0.9944633, 0.08221037,
                0.9177896, 0, 0, 0.4797114, 0.5202886,
            ],
            targets.Others, 2e-5);
        Assert.True(targets.LabelsSuspect);
        Assert.Equal(
            "Views confirm the labels of only 0 % of the samples to forget: "
            + "they are treated as mislabelled, with scores of wrong labels as target.",
            targets.Notes[^1]);
    }

    [Fact]
    public void Views_that_betray_membership_give_way_to_holdout_quantiles()
    {
        var targets = Targets(Wrong(Predicted(Plain, 12, 22), 22, 37));

        Tiny.AssertClose(
            [-9.6384349, -6.9647193, -2.3818702, -6.1779705, -8.6680057, -2.6183439, -8.1434957, -4.2766063, -8.4282908, -3.6160611,
                -5.4512406, -7.6763806],
            targets.Confidences, 2e-5);
        Tiny.AssertClose(
            [
                0.06819595, 0.931804, 0, 0.5669646, 0, 0.4330354, 0.885618, 0.114382, 0, 0.9793708, 0, 0.0206292, 0.098982, 0.901018, 0,
                0.8688235, 0.1311765, 0,
                0.5412362, 0, 0.4587638, 0.9991109, 0, 0.0008891251, 0, 0.005833367, 0.9941666, 0.824038, 0.175962, 0, 0.9992661, 0,
                0.0007339377, 0.4744998, 0.5255002, 0,
            ],
            targets.Others, 2e-5);
        Assert.Equal(
            "Views tell retained from holdout samples with AUC 1.00 (0.5 is ideal): "
            + "too well to serve as target; holdout quantiles by own rank are used instead.",
            Assert.Single(targets.Notes));
    }

    [Theory]
    [InlineData(ForgetTarget.Views, true)]
    [InlineData(ForgetTarget.Views, false)]
    [InlineData(ForgetTarget.Quantile, true)]
    [InlineData(ForgetTarget.Hinge, true)]
    [InlineData(ForgetTarget.NonMember, false)]
    public void Targets_differ_and_other_classes_share_one(ForgetTarget target, bool holdout)
    {
        var targets = Targets(Plain, target, holdout);

        Assert.Equal(12, targets.Confidences.Distinct().Count());
        // Membership models need no probabilities of other classes.
        Assert.Equal(target is ForgetTarget.Views or ForgetTarget.Quantile ? 12 * Classes : 0, targets.Others.Length);
        for (var i = 0; i < targets.Others.Length / Classes; i++)
        {
            Assert.Equal(0, targets.Others[(i * Classes) + (int)Plain[i]]);
            Assert.Equal(1, targets.Others.Skip(i * Classes).Take(Classes).Sum(), 1e-6);
        }
    }

    /// <summary>
    /// Only the middle of a chequered image decides, and half a pixel to any side mixes it to nothing: such views say the same of all
    /// samples, members or not, and are right about none. A little noise keeps the middle.
    /// </summary>
    [Fact]
    public void Views_that_lose_labels_give_way_to_others_however_little_they_betray()
    {
        var weights = new float[27];
        (weights[13], weights[14]) = (5, -5);
        using var model = Tiny.Linear([1, 3, 3], Classes, weights, [1, 0, 0]);
        long[] labels = [.. Enumerable.Range(0, Images).Select(i => 1L + i % 2)];
        var data = Tiny.Data(
            [.. labels.SelectMany(y => Enumerable.Range(0, 9).Select(p => (p % 2 is 0) == (y is 1) ? 1f : -1f))], [1, 3, 3], labels);
        using var original = Evaluator.Frozen(model.Forward, model.Parameters);
        var task = new UnlearningTask(model.Forward, model.Parameters, Classes, data.Rows(0, 12, "forget"), data.Rows(12, 22, "retained"),
            data.Rows(22, Images, "holdout"), 60, 1);
        var views = ViewSet.Choose(TaskAnswers.Of(original, task, Options(ForgetTarget.Views)), task, ViewKind.Auto);

        Assert.Null(views.Doubt);
        Assert.InRange(views.Views.Count, 1, ViewSet.Most);
        Assert.All(views.Views, view => Assert.False(view.IsOfImages));
    }

    [Fact]
    public void Views_of_which_none_serves_are_doubted()
    {
        using var model = Model();
        var data = Data(Wrong(Predicted(Plain, 12, 22), 22, 37));
        using var original = Evaluator.Frozen(model.Forward, model.Parameters);
        var task = new UnlearningTask(model.Forward, model.Parameters, Classes, data.Rows(0, 12, "forget"), data.Rows(12, 22, "retained"),
            data.Rows(22, Images, "holdout"), 60, 1);
        var views = ViewSet.Choose(TaskAnswers.Of(original, task, Options(ForgetTarget.Views)), task, ViewKind.Auto);

        Assert.Equal(": too well to serve as target", views.Doubt);
        Assert.Equal("Views tell retained from holdout samples with AUC 1.00 (0.5 is ideal)", views.Finding);
    }

    /// <summary>Without a holdout the test would compare views with themselves, so it is not reported.</summary>
    [Fact]
    public void Without_a_holdout_there_is_no_admission_test() =>
        Assert.DoesNotContain(Targets(Plain, holdout: false).Notes, note => note.Contains("AUC", StringComparison.Ordinal));

    [Fact]
    public void One_holdout_sample_gives_finite_targets()
    {
        var targets = Targets(Plain, holdoutEnd: 23);

        Assert.All(targets.Confidences.Concat(targets.Others), value => Assert.True(float.IsFinite(value)));
    }

    static ForgetTargets Targets(long[] labels, ForgetTarget target = ForgetTarget.Views, bool holdout = true, int? trainingCount = 60,
        int holdoutEnd = Images)
    {
        using var model = Model();
        var data = Data(labels);
        Subset forget = data.Rows(0, 12, "forget"), retained = data.Rows(12, 22, "retained");
        var held = holdout ? data.Rows(22, holdoutEnd, "holdout") : null;
        using var original = Evaluator.Frozen(model.Forward, model.Parameters);
        var task = new UnlearningTask(model.Forward, model.Parameters, Classes, forget, retained, held, trainingCount, 1);
        return ForgetTargets.Compute(TaskAnswers.Of(original, task, Options(target)), task, Options(target));
    }

    static TinyModel Model() => Tiny.Linear([1, 3, 3], Classes, Tiny.Wave(27, 2.1, 0.2, 1.5), Tiny.Wave(3, 1, 0.3, 0.2));

    static DataSet Data(long[] labels) =>
        Tiny.Data([.. Tiny.Wave(Images * 9, 1.37, 0.9).Zip(Tiny.Wave(Images * 9, 0.211, 0.3, 0.5), (a, b) => a + b)], [1, 3, 3], labels);

    /// <summary>Labels with those of some rows replaced by what the model predicts.</summary>
    static long[] Predicted(long[] labels, int from, int to) => Change(labels, from, to, 0);

    /// <summary>Labels with those of some rows replaced by the class after the one that the model predicts.</summary>
    static long[] Wrong(long[] labels, int from, int to) => Change(labels, from, to, 1);

    /// <summary>Every fourth of the plain labels is one class after the prediction.</summary>
    static long[] Change(long[] labels, int from, int to, int beyond) =>
        [.. labels.Select((y, i) => i < from || i >= to ? y : (Plain[i] + Classes - (i % 4 is 0 ? 1 : 0) + beyond) % Classes)];

    static MatchOptions Options(ForgetTarget target) => LtuVariants.Full with { Target = target };
}
