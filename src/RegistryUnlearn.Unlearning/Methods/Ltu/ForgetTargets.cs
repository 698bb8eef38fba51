using RegistryUnlearn.Training.Evaluation;
using RegistryUnlearn.Unlearning.Data;
using RegistryUnlearn.Unlearning.Membership;
using RegistryUnlearn.Unlearning.StopRules;

namespace RegistryUnlearn.Unlearning.Methods.Ltu;

/// <summary>What a model that never saw the samples to forget is expected to say about them, read from the original alone.</summary>
/// <param name="Confidences">Expected logit-scaled confidence of every sample to forget.</param>
/// <param name="Others">
/// [count, C], or [count, P, C] for positions: expected probabilities of the other classes among themselves, 0 at the label. Empty where
/// they have no weight.
/// </param>
/// <param name="Notes">What was decided on the way, for the report.</param>
sealed record ForgetTargets(float[] Confidences, float[] Others, bool LabelsSuspect, IReadOnlyList<string> Notes)
{
    /// <summary>
    /// Views that tell retained from reference samples better than this, beside two standard errors of the estimate, betray membership
    /// themselves and cannot serve as target: |AUC − 0.5|.
    /// </summary>
    const double AdmissibleAdvantage = 0.1;

    /// <summary>Labels are suspect when the views confirm less than this share of what they confirm for reference samples.</summary>
    const double ConfirmedShare = 0.5;

    /// <summary>Floats of soft targets at most (1 GiB).</summary>
    const double LargestSoft = 1 << 28;

    /// <param name="original">The model before the first step.</param>
    /// <param name="forget">The samples to forget of the task.</param>
    /// <param name="reference">Samples that were not trained on.</param>
    /// <exception cref="DataException">The original's outputs are not finite.</exception>
    public static ForgetTargets Compute(
        Evaluator original, SampleSource forget, SampleSource reference, UnlearningTask task, LtuOptions options)
    {
        var notes = new List<string>();
        var direct = LogitScores.Of(original, reference, task.Classes, keepLogits: options.Target is ForgetTarget.Views);
        if (!direct.Confidences.All(float.IsFinite))
            throw new DataException(task.Retained.Data.File, null, "the model's outputs on samples of the job are not finite",
                "repair the model's parameters or the samples");
        if (options.Target is not ForgetTarget.Views)
        {
            var wanted = options.Target is ForgetTarget.Quantile && options.OtherClasses > 0;
            if (wanted)
                RequireRoom(forget, task);
            var own = LogitScores.Of(original, forget, task.Classes, keepLogits: wanted);
            var expected = ByRank(own.Confidences, Samples.Sorted(direct.Confidences));
            return new(expected, Soft(own.Logits, forget.Labels, task.Classes, 1), false, notes);
        }
        var views = ViewSet.Of(options.Views);
        var moved = Moved(original, task.Forget!, views, task.Classes);
        var movedRetained = Moved(original, task.Retained, views, task.Classes);
        var movedReference = task.Holdout is null ? movedRetained : Moved(original, task.Holdout, views, task.Classes);
        var confirmed = LogitScores.Of(moved.Logits, forget.Labels, task.Classes).Accuracy(forget.Labels);
        var suspect = confirmed < ConfirmedShare * direct.Confidences.Count(c => c > 0) / direct.Count;
        if (task.Holdout is not null)
        {
            var admission = RankStatistics.Auc(movedRetained.Scores, movedReference.Scores);
            var doubt = StandardErrorOfAuc(movedRetained.Scores.Length, movedReference.Scores.Length);
            // Mislabelled samples have no use for their own rank: it is what they were memorised with.
            var refused = !suspect && Math.Abs(admission - 0.5) > AdmissibleAdvantage + 2 * doubt;
            notes.Add($"Views tell retained from holdout samples with AUC {admission:0.00} (0.5 is ideal)"
                + (refused ? ": too well to serve as target; holdout quantiles by own rank are used instead." : "."));
            if (refused)
                return Compute(original, forget, reference, task, options with { Target = ForgetTarget.Quantile }) with { Notes = notes };
        }
        float[] level;
        if (suspect)
        {
            notes.Add($"Views confirm the labels of only {confirmed:P0} of the samples to forget: they are treated as mislabelled, "
                + "with scores of wrong labels as target.");
            level = WrongLabelScores(direct);
        }
        else
            level = RetrainedLevel(direct.Confidences, task, forget.Count, notes);
        return new(
            ByRank(moved.Scores, Samples.Sorted(level)),
            Soft(moved.Logits, forget.Labels, task.Classes, Temperature(direct.Confidences, movedReference.Scores)),
            suspect, notes);
    }

    /// <summary>Expected probabilities of every class at every position must fit into one array.</summary>
    static void RequireRoom(SampleSource forget, UnlearningTask task)
    {
        if ((double)forget.Labels.Length * task.Classes > LargestSoft)
            throw new DataException(task.Retained.Data.File, null,
                $"{forget.Labels.Length} positions with {task.Classes} classes are too many for soft targets",
                "set otherClasses to 0, or choose the target non-member or hinge");
    }

    /// <summary>Of the rank statistic when both samples come from one distribution (Mann and Whitney 1947).</summary>
    static double StandardErrorOfAuc(int members, int others) => Math.Sqrt((members + others + 1.0) / (12.0 * members * others));

    /// <summary>Mean over the views of confidences and of logits.</summary>
    static (float[] Scores, float[] Logits) Moved(Evaluator original, Subset subset, View[] views, int classes)
    {
        var scores = new float[subset.Count];
        var logits = new float[checked(subset.Count * classes)];
        foreach (var view in views)
        {
            var seen = LogitScores.Of(original, SampleSource.Of(subset, view), classes, keepLogits: true);
            for (var i = 0; i < scores.Length; i++)
                scores[i] += seen.Confidences[i] / views.Length;
            for (var i = 0; i < logits.Length; i++)
                logits[i] += seen.Logits[i] / views.Length;
        }
        return (scores, logits);
    }

    /// <summary>The reference score whose quantile is the rank of each value.</summary>
    static float[] ByRank(float[] values, float[] sortedLevel) =>
        [.. Samples.Ranks(values).Select(r => Samples.Quantile(sortedLevel, (r + 0.5) / values.Length))];

    /// <summary>Scores of reference samples for every label but the predicted one: how a model sees labels that are wrong.</summary>
    static float[] WrongLabelScores(LogitScores reference)
    {
        var scores = new float[checked(reference.Count * (reference.Classes - 1))];
        for (int i = 0, n = 0; i < reference.Count; i++)
            for (var c = 0; c < reference.Classes; c++)
                if (c != reference.Predictions[i])
                    scores[n++] = (float)LogitScores.Confidence(reference.Logits.AsSpan(i * reference.Classes, reference.Classes), c);
        return scores;
    }

    /// <summary>
    /// Reference scores, shifted down so that the error grows as 1/n does when training loses the forget set: a retrained model has seen
    /// less data than the original.
    /// </summary>
    static float[] RetrainedLevel(float[] scores, UnlearningTask task, int forgotten, List<string> notes)
    {
        if (task.TrainingCount is not { } trained || trained <= forgotten)
            return scores;
        var error = scores.Count(s => s < 0) / (double)scores.Length * trained / (trained - forgotten);
        var shift = Samples.Quantile(Samples.Sorted(scores), Math.Min(1, error));
        notes.Add($"The non-member level is lowered by {shift:0.00} because a retrained model sees {forgotten} of {trained} samples less.");
        return [.. scores.Select(s => s - shift)];
    }

    /// <summary>Factor by which logits of views spread like those of the samples themselves; 1 where scores do not spread.</summary>
    static double Temperature(float[] direct, float[] moved)
    {
        var spread = Samples.StandardDeviation(moved);
        return spread > 0 ? Samples.StandardDeviation(direct) / spread : 1;
    }

    /// <summary>Softmax of the logits times the temperature, without the label's.</summary>
    static float[] Soft(float[] logits, long[] labels, int classes, double temperature)
    {
        var soft = new float[logits.Length];
        for (var i = 0; i < logits.Length / classes; i++)
        {
            if (labels[i] < 0)
                continue;
            var row = logits.AsSpan(i * classes, classes);
            var largest = double.NegativeInfinity;
            for (var c = 0; c < classes; c++)
                if (c != labels[i])
                    largest = Math.Max(largest, row[c] * temperature);
            var sum = 0.0;
            for (var c = 0; c < classes; c++)
                if (c != labels[i])
                    sum += Math.Exp(row[c] * temperature - largest);
            for (var c = 0; c < classes; c++)
                soft[i * classes + c] = c == labels[i] ? 0 : (float)(Math.Exp(row[c] * temperature - largest) / sum);
        }
        return soft;
    }
}
