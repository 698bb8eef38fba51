namespace RegistryUnlearn.Auditing.Statistics;

/// <summary>
/// The loss-threshold membership attack (Yeom et al., CSF 2018): a sample is called a member when its loss is at most a threshold.
/// Members are the forget samples, non-members the reference samples. All inputs are ascending losses and not empty.
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
    /// Largest true-positive rate over the thresholds whose false-positive rate is at most <paramref name="falsePositiveRate"/>.
    /// </summary>
    public static double TruePositiveRate(ReadOnlySpan<double> members, ReadOnlySpan<double> nonMembers, double falsePositiveRate)
    {
        var best = 0.0;
        foreach (var point in Roc(members, nonMembers))
            if (point.FalsePositiveRate <= falsePositiveRate)
                best = point.TruePositiveRate;
        return best;
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
        ArgumentOutOfRangeException.ThrowIfLessThan(resamples, 1);
        if (level is not (> 0 and < 1))
            throw new ArgumentOutOfRangeException(nameof(level), level, "the level must lie between 0 and 1");

        var (memberGroup, nonMemberGroup, groups) = TieGroups(members, nonMembers);
        var memberCounts = new int[groups];
        var nonMemberCounts = new int[groups];
        var draws = new double[resamples];
        for (var r = 0; r < resamples; r++)
        {
            Draw(memberGroup, memberCounts, random);
            Draw(nonMemberGroup, nonMemberCounts, random);
            double wins = 0, above = nonMembers.Length;
            for (var g = 0; g < groups; g++)
            {
                above -= nonMemberCounts[g];
                wins += memberCounts[g] * (above + (0.5 * nonMemberCounts[g]));
            }

            draws[r] = wins / ((double)members.Length * nonMembers.Length);
        }

        Array.Sort(draws);
        return new(Quantiles.At(draws, (1 - level) / 2), Quantiles.At(draws, (1 + level) / 2));
    }

    static void Draw(int[] group, int[] counts, SplitMix64 random)
    {
        Array.Clear(counts);
        for (var i = 0; i < group.Length; i++)
            counts[group[random.Next(group.Length)]]++;
    }

    // Equal losses share a group, so that a resample is scored in one pass without sorting.
    static (int[] Members, int[] NonMembers, int Groups) TieGroups(ReadOnlySpan<double> members, ReadOnlySpan<double> nonMembers)
    {
        var (memberGroup, nonMemberGroup) = (new int[members.Length], new int[nonMembers.Length]);
        int m = 0, n = 0, group = 0;
        for (; m < members.Length || n < nonMembers.Length; group++)
        {
            var value = Math.Min(
                m < members.Length ? members[m] : double.PositiveInfinity,
                n < nonMembers.Length ? nonMembers[n] : double.PositiveInfinity);
            while (m < members.Length && members[m] <= value)
                memberGroup[m++] = group;
            while (n < nonMembers.Length && nonMembers[n] <= value)
                nonMemberGroup[n++] = group;
        }

        return (memberGroup, nonMemberGroup, group);
    }
}

/// <summary>One operating point of an attack; both rates in [0, 1].</summary>
public readonly record struct RocPoint(double FalsePositiveRate, double TruePositiveRate);

/// <summary>A closed interval.</summary>
public readonly record struct Interval(double Low, double High);
