using RegistryUnlearn.Training.Evaluation;
using RegistryUnlearn.Unlearning.Data;
using RegistryUnlearn.Unlearning.StopRules;

namespace RegistryUnlearn.Unlearning.Methods.Ltu;

/// <summary>What the original says of the samples of a subset and of views of them; each is asked for once.</summary>
sealed class OriginalAnswers
{
    /// <summary>Floats of logits that are kept of one subset at most (256 MiB), over all views.</summary>
    const double Largest = 1 << 26;

    readonly Evaluator original;
    readonly Subset subset;
    readonly int classes;
    readonly Dictionary<View, LogitScores> seen = [];

    /// <param name="first">What the samples themselves are; null for as they are stored.</param>
    /// <param name="keepDirect">Whether the logits of the samples themselves are needed, however many they are.</param>
    /// <param name="views">Views that may be asked for.</param>
    public OriginalAnswers(Evaluator original, Subset subset, View? first, int classes, int views, bool keepDirect = false)
    {
        (this.original, this.subset, this.classes) = (original, subset, classes);
        AreKept = (double)subset.Count * subset.Data.LabelSize * classes * (views + 1) <= Largest;
        Samples = first is { } view ? SampleSource.Of(subset, view) : SampleSource.Of(subset);
        Direct = LogitScores.Of(original, Samples, classes, AreKept || keepDirect);
    }

    /// <summary>Whether logits stay in memory, so that <see cref="Copy"/> may be called.</summary>
    public bool AreKept { get; }

    public SampleSource Samples { get; }

    /// <summary>Of the samples themselves.</summary>
    public LogitScores Direct { get; }

    public LogitScores Of(View view) => seen.TryGetValue(view, out var known) ? known
        : seen[view] = LogitScores.Of(original, SampleSource.Of(subset, view), classes, AreKept);

    /// <summary>Mean over views of confidences, and of logits where they are wanted.</summary>
    public (float[] Scores, float[] Logits) Mean(IReadOnlyList<View> views, bool withLogits)
    {
        var scores = new float[subset.Count];
        var logits = new float[withLogits ? checked(subset.Count * classes) : 0];
        foreach (var view in views)
        {
            var answers = Of(view);
            Add(answers.Confidences, scores);
            if (withLogits)
                Add((AreKept ? answers : LogitScores.Of(original, SampleSource.Of(subset, view), classes, keepLogits: true)).Logits, logits);
        }
        return (scores, logits);

        void Add(float[] values, float[] sum)
        {
            for (var i = 0; i < sum.Length; i++)
                sum[i] += values[i] / views.Count;
        }
    }

    /// <summary>Copies the logits of a sample, [P·C], or of a view of it.</summary>
    /// <param name="row">Of the data set.</param>
    /// <param name="view">Null for the sample itself.</param>
    public void Copy(int row, View? view, Span<float> logits)
    {
        var answers = view is { } change ? Of(change) : Direct;
        answers.Logits.AsSpan(subset.Rows.BinarySearch(row) * logits.Length, logits.Length).CopyTo(logits);
    }
}

/// <summary>The original's answers on the sets of a task.</summary>
/// <param name="Reference">On samples never trained on: the holdout, or moved retained samples where there is none.</param>
sealed record TaskAnswers(OriginalAnswers Forget, OriginalAnswers Retained, OriginalAnswers Reference)
{
    /// <exception cref="DataException">There is no holdout, and samples cannot be moved.</exception>
    public static TaskAnswers Of(Evaluator original, UnlearningTask task, MatchOptions options)
    {
        var forget = task.Forget ?? throw new ArgumentException("the task has no samples to forget", nameof(task));
        var views = ViewSet.Of(options.Views, task.Retained.Data).SelectMany(kind => kind).ToArray();
        var retained = new OriginalAnswers(original, task.Retained, null, task.Classes, views.Length);
        return new(
            new(original, forget, null, task.Classes, views.Length,
                keepDirect: options is { Target: ForgetTarget.Views or ForgetTarget.Quantile, OtherClasses: > 0 }),
            retained,
            task.Holdout is { } holdout
                ? new(original, holdout, null, task.Classes, views.Length, keepDirect: options.Target is ForgetTarget.Views)
                : new(original, task.Retained, views.FirstOrDefault(), task.Classes, views.Length,
                    keepDirect: options.Target is ForgetTarget.Views));
    }
}
