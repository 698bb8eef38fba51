using System.Globalization;
using RegistryUnlearn.Unlearning.Data;
using RegistryUnlearn.Unlearning.Membership;

namespace RegistryUnlearn.Unlearning.Methods.Ltu;

/// <summary>Views, and whether they can speak for samples that a model has not seen.</summary>
/// <param name="Views">Those that are used; the first that were tried where none passes.</param>
/// <param name="Finding">What was found, for the report, without its end; null without a holdout, where there is no test.</param>
/// <param name="Doubt">Why they cannot serve as target, to follow the finding; null where they can.</param>
sealed record ViewSet(IReadOnlyList<View> Views, string? Finding, string? Doubt)
{
    /// <summary>Views that are chosen at most: more of them predict a retrained model hardly better.</summary>
    public const int Most = 6;

    /// <summary>
    /// Views that tell retained from reference samples better than this, beside two standard errors of the estimate, betray membership
    /// themselves: |AUC − 0.5|.
    /// </summary>
    const double AdmissibleAdvantage = 0.03;

    /// <summary>A view keeps labels when the original is right about this share of the holdout samples that it is right about as they
    /// are.</summary>
    const double KeptAccuracy = 0.8;

    /// <summary>Images smaller than this lose too much by a shift of a whole pixel.</summary>
    const int SmallestForPixels = 16;

    static readonly View[] HalfShifts = [new(0.5f, 0, false), new(-0.5f, 0, false), new(0, 0.5f, false), new(0, -0.5f, false)];

    /// <summary>No shift is a multiple of a common stride (4), under which a convolution network sees the same features.</summary>
    static readonly View[] ShiftsFlips =
    [
        new(0, 0, true), new(-1, 1, true), new(1, 2, true), new(1, 1, false), new(-1, 2, false), new(2, -1, true),
        new(-2, -2, false), new(2, 1, false), new(1, 0, true), new(0, 1, true), new(2, 0, false), new(0, -1, false),
    ];

    /// <summary>The strongest first: what a network has memorised shows less, the further a view is from it.</summary>
    static readonly View[] Perturbed =
    [
        new() { Noise = 1, Draw = 1 }, new() { Noise = 1, Draw = 2 }, new() { Swapped = 0.3f, Draw = 3 }, new() { Swapped = 0.3f, Draw = 4 },
        new() { Noise = 0.7f, Draw = 5 }, new() { Noise = 0.7f, Draw = 6 }, new() { Swapped = 0.2f, Draw = 7 },
        new() { Swapped = 0.2f, Draw = 8 }, new() { Noise = 0.5f, Draw = 9 }, new() { Noise = 0.5f, Draw = 10 },
        new() { Swapped = 0.1f, Draw = 11 }, new() { Swapped = 0.1f, Draw = 12 }, new() { Noise = 0.3f, Draw = 13 },
        new() { Noise = 0.3f, Draw = 14 },
    ];

    /// <summary>The views to try, kind by kind, the most useful first; none where samples cannot be changed.</summary>
    public static IReadOnlyList<View[]> Of(ViewKind kind, DataSet data)
    {
        IReadOnlyList<View[]> kinds = kind switch
        {
            ViewKind.HalfShifts => [HalfShifts],
            ViewKind.ShiftsFlips => [ShiftsFlips],
            ViewKind.Perturbations => [Perturbed],
            _ when data.SampleShape is [_, >= SmallestForPixels, >= SmallestForPixels] => [[.. ShiftsFlips, .. HalfShifts], Perturbed],
            _ => [HalfShifts, Perturbed],
        };
        return [.. kinds.Where(views => views.All(view => SampleSource.CanMove(data, view)))];
    }

    /// <summary>
    /// Chooses views. Of a kind that the request names all are used, and judged by their mean; <c>auto</c> takes the first that pass alone,
    /// of the first kind of which one does.
    /// </summary>
    /// <param name="task">One whose samples have views.</param>
    public static ViewSet Choose(TaskAnswers answers, UnlearningTask task, ViewKind kind)
    {
        var kinds = Of(kind, task.Retained.Data);
        if (task.Holdout is null)
            return new([.. kind is ViewKind.Auto ? kinds[0].Take(Most) : kinds[0]], null, null);
        View[] passed = kind is not ViewKind.Auto ? kinds[0]
            : kinds.Select(views => views.Where(view => IsFairAlone(answers, view)).Take(Most).ToArray())
                .FirstOrDefault(views => views.Length > 0, []);
        View[] chosen = passed.Length > 0 ? passed : [.. kinds[0].Take(Most)];
        var (auc, isFair) = Admission(answers.Retained.Mean(chosen, false).Scores, answers.Reference.Mean(chosen, false).Scores);
        var doubt = !isFair ? ": too well to serve as target"
            : passed.Length is 0 ? ", but none of them both keeps labels and passes that test alone" : null;
        var name = chosen.All(view => view.IsOfImages) ? "Views" : "Views with noise or swapped values";
        return new(chosen, string.Create(CultureInfo.InvariantCulture,
            $"{name} tell retained from holdout samples with AUC {auc:0.00} (0.5 is ideal)"), doubt);
    }

    /// <summary>Whether a view keeps labels and does not tell members.</summary>
    static bool IsFairAlone(TaskAnswers answers, View view)
    {
        var labels = answers.Reference.Samples.Labels;
        return answers.Reference.Of(view).Accuracy(labels) >= KeptAccuracy * answers.Reference.Direct.Accuracy(labels)
            && Admission(answers.Retained.Of(view).Confidences, answers.Reference.Of(view).Confidences).IsFair;
    }

    static (double Auc, bool IsFair) Admission(float[] retained, float[] reference)
    {
        var auc = RankStatistics.Auc(retained, reference);
        return (auc, Math.Abs(auc - 0.5) <= AdmissibleAdvantage + 2 * StandardErrorOfAuc(retained.Length, reference.Length));
    }

    /// <summary>Of the rank statistic when both samples come from one distribution (Mann and Whitney 1947).</summary>
    static double StandardErrorOfAuc(int members, int others) => Math.Sqrt((members + others + 1.0) / (12.0 * members * others));
}
