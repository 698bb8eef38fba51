using System.Globalization;
using RegistryUnlearn.Unlearning.Data;
using RegistryUnlearn.Worker.Models;

namespace RegistryUnlearn.Worker.Inspection;

/// <summary>The batches of one feedback of a learning-to-unlearn step.</summary>
sealed record FeedbackBatches(Batch Support, IReadOnlyList<Batch> Queries);

/// <summary>The arrays of one learning-to-unlearn step, checked against a model and a configuration.</summary>
/// <param name="Weights">[K, 4]</param>
/// <param name="Biases">[K]</param>
sealed record MetaStepBatches(FeedbackBatches Remember, FeedbackBatches Forget, float[] Weights, float[] Biases)
{
    /// <summary>Width of a membership model: the features of <see cref="Onnx.Losses.MembershipLosses"/>.</summary>
    public const int Features = 4;

    /// <exception cref="InputException">Arrays are missing or do not fit; all of them are named.</exception>
    public static MetaStepBatches Read(NpzReader file, string path, ClassifierModel model, MetaStepConfig config)
    {
        var errors = new List<string>();
        var reader = new BatchReader(file, errors);
        var remember = Feedback("remember", Math.Max(1, QueriesOf("remember")));
        var forget = Feedback("forget", config.Queries.Count);
        var surplus = QueriesOf("forget");
        if (surplus > config.Queries.Count)
            errors.Add($"there are {surplus} forgetting query batches, but mi_query names {config.Queries.Count} membership models; "
                + "give one per batch");
        var weights = reader.Floats("mi/weights", -1, Features);
        var biases = reader.Floats("mi/bias", weights?.Shape[0] ?? -1);
        if (weights is not null)
            foreach (var (name, row) in config.Queries.Select((row, m) => ($"mi_query[{m}]", row)).Prepend(("mi_support", config.Support)))
                if (row >= weights.Shape[0])
                    errors.Add($"{name} is {row}, but array 'mi/weights' has {weights.Shape[0]} rows; name one of them, counted from 0");
        return errors.Count == 0
            ? new(remember!, forget!, weights!.ToSingles(), biases!.ToSingles())
            : throw new InputException(path, errors);

        FeedbackBatches? Feedback(string side, int queries)
        {
            var support = reader.Batch($"batch/{side}-support/", model);
            var all = Enumerable.Range(0, queries).Select(m => reader.Batch($"batch/{side}-query-{m}/", model)).ToList();
            return support is null || all.Contains(null) ? null : new(support, [.. all.Select(b => b!)]);
        }

        // One more than the highest number, so that a gap shows as a missing array.
        int QueriesOf(string side) => file.Names.Select(n => NumberOf(n, $"batch/{side}-query-")).Max() + 1 ?? 0;
    }

    static int? NumberOf(string name, string prefix)
    {
        const int Most = 1024;
        if (!name.StartsWith(prefix, StringComparison.Ordinal)) return null;
        var rest = name.AsSpan(prefix.Length);
        var end = rest.IndexOf('/');
        return end > 0 && int.TryParse(rest[..end], NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number < Most
            ? number : null;
    }
}
