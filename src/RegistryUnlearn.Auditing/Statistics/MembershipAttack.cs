namespace RegistryUnlearn.Auditing.Statistics;

/// <summary>
/// The loss-threshold membership attack (Yeom et al., CSF 2018): a sample is called a member when its loss is at most a threshold.
/// Members are the forget samples, non-members the reference samples. All inputs are ascending losses and not empty. In their place stands
/// the negative of any score that is larger for members (<see cref="AttackCurve"/>).
/// </summary>
public static class MembershipAttack
{
    /// <summary>
    /// Area under the ROC curve: the probability that a member has the smaller loss, ties counted one half (Mann–Whitney). In [0, 1].
    /// </summary>
    public static double Auc(ReadOnlySpan<double> members, ReadOnlySpan<double> nonMembers)
    {
        Require.Ascending(members, nameof(members));
        Require.Ascending(nonMembers, nameof(nonMembers));
        double wins = 0;
        int below = 0, upTo = 0;
        foreach (var loss in members)
        {
            while (below < nonMembers.Length && nonMembers[below] < loss)
                below++;
            upTo = Math.Max(upTo, below);
            while (upTo < nonMembers.Length && nonMembers[upTo] <= loss)
                upTo++;
            wins += nonMembers.Length - upTo + (0.5 * (upTo - below));
        }

        return wins / ((double)members.Length * nonMembers.Length);
    }

    /// <summary>
    /// Largest true-positive rate over the thresholds whose false-positive rate is at most <paramref name="falsePositiveRate"/>, in [0, 1].
    /// </summary>
    public static double TruePositiveRate(ReadOnlySpan<double> members, ReadOnlySpan<double> nonMembers, double falsePositiveRate)
    {
        Require.Ascending(members, nameof(members));
        Require.Ascending(nonMembers, nameof(nonMembers));
        return (double)TruePositives(members, nonMembers, falsePositiveRate).Count / members.Length;
    }

    /// <summary>The ROC curve from (0, 0) to (1, 1), one point per distinct loss.</summary>
    public static IReadOnlyList<RocPoint> Roc(ReadOnlySpan<double> members, ReadOnlySpan<double> nonMembers)
    {
        Require.Ascending(members, nameof(members));
        Require.Ascending(nonMembers, nameof(nonMembers));
        var points = new List<RocPoint> { new(0, 0) };
        int m = 0, n = 0;
        while (m < members.Length || n < nonMembers.Length)
        {
            var threshold = Math.Min(
                m < members.Length ? members[m] : double.PositiveInfinity,
                n < nonMembers.Length ? nonMembers[n] : double.PositiveInfinity);
            while (m < members.Length && members[m] <= threshold)
                m++;
            while (n < nonMembers.Length && nonMembers[n] <= threshold)
                n++;
            points.Add(new((double)n / nonMembers.Length, (double)m / members.Length));
        }

        return points;
    }

    /// <summary>
    /// Percentile interval of <see cref="Auc"/> by the bootstrap (Efron, 1979): members and non-members are drawn with replacement,
    /// separately.
    /// </summary>
    /// <param name="resamples">Number of draws, at least 1; 1000 is customary.</param>
    /// <param name="level">Coverage in (0, 1), for example 0.95.</param>
    public static Interval AucInterval(
        ReadOnlySpan<double> members, ReadOnlySpan<double> nonMembers, SplitMix64 random, int resamples = 1000, double level = 0.95)
    {
        Require.Ascending(members, nameof(members));
        Require.Ascending(nonMembers, nameof(nonMembers));
        return new AttackBootstrap(members, nonMembers).Intervals([], random, resamples, level).Auc;
    }

    /// <summary>
    /// Members below the threshold that <see cref="TruePositiveRate"/> takes: the loss of the first non-member, ascending, that may not be
    /// called a member; infinite when all may.
    /// </summary>
    internal static (int Count, double Threshold) TruePositives(
        ReadOnlySpan<double> members, ReadOnlySpan<double> nonMembers, double falsePositiveRate)
    {
        var allowed = AllowedFalsePositives(nonMembers.Length, falsePositiveRate);
        if (allowed == nonMembers.Length)
            return (members.Length, double.PositiveInfinity);
        var threshold = nonMembers[allowed];
        var count = 0;
        while (count < members.Length && members[count] < threshold)
            count++;
        return (count, threshold);
    }

    /// <summary>The largest number of so many non-members whose share is at most the rate, in [0, 1].</summary>
    internal static int AllowedFalsePositives(int nonMembers, double falsePositiveRate)
    {
        if (falsePositiveRate is not (>= 0 and <= 1))
            throw new ArgumentOutOfRangeException(nameof(falsePositiveRate), falsePositiveRate, "a rate lies between 0 and 1");
        var allowed = (int)(falsePositiveRate * nonMembers);
        return (allowed + 1.0) / nonMembers <= falsePositiveRate ? allowed + 1 : allowed;
    }
}

/// <summary>One operating point of an attack; both rates in [0, 1].</summary>
public readonly record struct RocPoint(double FalsePositiveRate, double TruePositiveRate);

/// <summary>A closed interval.</summary>
public readonly record struct Interval(double Low, double High);
