namespace RegistryUnlearn.Auditing.Statistics;

/// <summary>
/// Asks whether unlearned models are still of use: a model that answers everything alike gives no sample away, and is worthless.
/// </summary>
/// <param name="UnlearnedAccuracies">Accuracy on the test set of every unlearned model, in [0, 1].</param>
/// <param name="OracleAccuracies">The same of every retrained model.</param>
/// <param name="AllowedPoints">By how many points, of hundred, the unlearned models' mean may lie below the oracles', at least 0.</param>
public sealed record UtilityGuard(
    IReadOnlyList<double> UnlearnedAccuracies, IReadOnlyList<double> OracleAccuracies, double AllowedPoints)
{
    /// <summary>Points by which the unlearned models' mean lies below the oracles'; negative when it lies above.</summary>
    /// <exception cref="ArgumentException">There is no accuracy, or one is outside 0..1.</exception>
    public double LostPoints => 100 * (Mean(OracleAccuracies) - Mean(UnlearnedAccuracies));

    /// <exception cref="ArgumentException">As for <see cref="LostPoints"/>, or the allowance is negative or no number.</exception>
    public bool Holds => AllowedPoints >= 0
        ? LostPoints <= AllowedPoints
        : throw new ArgumentException($"{AllowedPoints} points are no allowance; give 0 or more", nameof(AllowedPoints));

    static double Mean(IReadOnlyList<double> accuracies)
    {
        Require.Finite([.. accuracies], nameof(accuracies));
        return accuracies.All(a => a is >= 0 and <= 1)
            ? accuracies.Average()
            : throw new ArgumentException("an accuracy lies between 0 and 1; divide percentages by 100", nameof(accuracies));
    }
}
