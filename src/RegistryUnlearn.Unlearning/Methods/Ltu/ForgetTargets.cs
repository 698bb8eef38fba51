using RegistryUnlearn.Unlearning.Data;
using RegistryUnlearn.Unlearning.StopRules;

namespace RegistryUnlearn.Unlearning.Methods.Ltu;

/// <summary>What a model that never saw the samples to forget is expected to say about them, read from the original alone.</summary>
/// <param name="Confidences">Expected logit-scaled confidence of every sample to forget.</param>
/// <param name="Others">
/// [count, C], or [count, P, C] for positions: expected probabilities of the other classes among themselves, 0 at the label. Empty where
/// they have no weight.
/// </param>
/// <param name="Views">Views that say of samples to forget what an unseen sample would; empty where there are none.</param>
/// <param name="Notes">What was decided on the way, for the report.</param>
sealed record ForgetTargets(
    float[] Confidences, float[] Others, bool LabelsSuspect, IReadOnlyList<View> Views, IReadOnlyList<string> Notes)
{
    /// <summary>Labels are suspect when the views confirm less than this share of what they confirm for reference samples.</summary>
    const double ConfirmedShare = 0.5;

    /// <summary>
    /// Retained samples from which on their views say by mean and spread where members stand; fewer say it too badly, and ranks among
    /// members take their place.
    /// </summary>
    const int LeastForLevel = 200;

    /// <summary>Floats of soft targets at most (1 GiB).</summary>
    const double LargestSoft = 1 << 28;

    /// <param name="answers">Of the model before the first step.</param>
    /// <exception cref="DataException">The original's outputs are not finite.</exception>
    public static ForgetTargets Compute(TaskAnswers answers, UnlearningTask task, MatchOptions options)
    {
        var direct = answers.Reference.Direct;
        if (!direct.Confidences.All(float.IsFinite))
            throw new DataException(task.Retained.Data.File, null, "the model's outputs on samples of the job are not finite",
                "repair the model's parameters or the samples");
        if (options.Target is not ForgetTarget.Views)
            return ByOwnRank(answers, task, options.Target is ForgetTarget.Quantile && options.OtherClasses > 0, []);
        var notes = new List<string>();
        if (ViewSet.Of(options.Views, task.Retained.Data).Count is 0)
            return ByOwnRank(answers, task, options.OtherClasses > 0,
                ["These samples have no such views; holdout quantiles by own rank are used as target."]);
        var views = ViewSet.Choose(answers, task, options.Views);
        var labels = answers.Forget.Samples.Labels;
        var moved = answers.Forget.Mean(views.Views, withLogits: true);
        var confirmed = LogitScores.Of(moved.Logits, labels, task.Classes).Accuracy(labels);
        var usual = answers.Reference.Samples.Labels;
        var suspect = confirmed < ConfirmedShare
            * LogitScores.Of(answers.Reference.Mean(views.Views, withLogits: true).Logits, usual, task.Classes).Accuracy(usual);
        // Mislabelled samples have no use for their own rank: it is what they were memorised with.
        var refused = !suspect && views.Doubt is not null;
        if (views.Finding is { } finding)
            notes.Add(finding + (refused ? $"{views.Doubt}; holdout quantiles by own rank are used instead." : "."));
        if (refused)
            return ByOwnRank(answers, task, options.OtherClasses > 0, notes);
        var members = answers.Retained.Mean(views.Views, withLogits: false).Scores;
        var moreover = task.Holdout is null ? members : answers.Reference.Mean(views.Views, withLogits: false).Scores;
        var soft = Soft(moved.Logits, labels, task.Classes, Temperature(direct.Confidences, moreover));
        float[] expected;
        // What was memorised about a wrong label reaches as far as noise and parts of a pixel, and raises those scores.
        var within = suspect && !views.Views.All(view => view.IsFar);
        if (task.Retained.Count >= LeastForLevel && !within)
            expected = Carried(moved.Scores, members, direct.Confidences);
        else
        {
            if (suspect)
                notes.Add($"Views confirm the labels of only {confirmed:P0} of the samples to forget: they are treated as mislabelled, "
                    + "with scores of wrong labels as target.");
            var level = suspect ? WrongLabelScores(direct) : RetrainedLevel(direct.Confidences, task, labels.Length, notes);
            expected = ByRank(moved.Scores, suspect ? [] : members, Samples.Sorted(level));
        }
        return new(expected, soft, suspect, views.Views, notes);
    }

    /// <summary>The reference score of the rank that a sample's own score has among members, itself and the retained ones.</summary>
    static ForgetTargets ByOwnRank(TaskAnswers answers, UnlearningTask task, bool withOthers, IReadOnlyList<string> notes)
    {
        if (withOthers)
            RequireRoom(answers.Forget.Samples, task);
        var own = answers.Forget.Direct;
        return new(
            ByRank(own.Confidences, answers.Retained.Direct.Confidences, Samples.Sorted(answers.Reference.Direct.Confidences)),
            withOthers ? Soft(own.Logits, answers.Forget.Samples.Labels, task.Classes, 1) : [], false, [], notes);
    }

    /// <summary>Expected probabilities of every class at every position must fit into one array.</summary>
    static void RequireRoom(SampleSource forget, UnlearningTask task)
    {
        if ((double)forget.Labels.Length * task.Classes > LargestSoft)
            throw new DataException(task.Retained.Data.File, null,
                $"{forget.Labels.Length} positions with {task.Classes} classes are too many for soft targets",
                "set otherClasses to 0, or choose the target non-member or hinge");
    }

    /// <summary>
    /// Scores of moved samples, mapped by the line that takes mean and spread of the members' views to those of samples never trained on.
    /// A sample whose label is wrong stands far below the members and stays there.
    /// </summary>
    static float[] Carried(float[] moved, float[] members, float[] reference)
    {
        var spread = Samples.StandardDeviation(members);
        var (slope, from, to) =
            (spread > 0 ? Samples.StandardDeviation(reference) / spread : 1, members.Average(), reference.Average());
        return [.. moved.Select(s => (float)((s - from) * slope + to))];
    }

    /// <summary>The reference score whose quantile is the rank of each value among all of them and others of their kind.</summary>
    static float[] ByRank(float[] values, float[] others, float[] sortedLevel)
    {
        var ranks = Samples.Ranks([.. values, .. others]);
        return [.. ranks.Take(values.Length).Select(r => Samples.Quantile(sortedLevel, (r + 0.5) / ranks.Length))];
    }

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
