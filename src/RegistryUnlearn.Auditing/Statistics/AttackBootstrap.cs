namespace RegistryUnlearn.Auditing.Statistics;

/// <summary>
/// The bootstrap (Efron, 1979) of an attack that calls small values members: members and non-members are drawn with replacement,
/// separately. Both samples ascending and not empty.
/// </summary>
sealed class AttackBootstrap
{
    readonly int[] _members, _nonMembers, _memberCounts, _nonMemberCounts;

    public AttackBootstrap(ReadOnlySpan<double> members, ReadOnlySpan<double> nonMembers)
    {
        (_members, _nonMembers, var groups) = TieGroups(members, nonMembers);
        (_memberCounts, _nonMemberCounts) = (new int[groups], new int[groups]);
    }

    /// <summary>Percentile intervals of the area under the curve, and of the true-positive rate at each false-positive rate.</summary>
    public (Interval Auc, Interval[] TruePositiveRates) Intervals(
        ReadOnlySpan<double> falsePositiveRates, SplitMix64 random, int resamples, double level)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(resamples, 1);
        Require.Level(level);
        var allowed = new int[falsePositiveRates.Length];
        for (var i = 0; i < allowed.Length; i++)
            allowed[i] = MembershipAttack.AllowedFalsePositives(_nonMembers.Length, falsePositiveRates[i]);
        var areas = new double[resamples];
        var rates = Array.ConvertAll(allowed, _ => new double[resamples]);
        for (var r = 0; r < resamples; r++)
        {
            Draw(_members, _memberCounts, random);
            Draw(_nonMembers, _nonMemberCounts, random);
            areas[r] = Auc();
            for (var i = 0; i < allowed.Length; i++)
                rates[i][r] = TruePositiveRate(allowed[i]);
        }

        return (Percentiles(areas, level), Array.ConvertAll(rates, draws => Percentiles(draws, level)));
    }

    double Auc()
    {
        double wins = 0, above = _nonMembers.Length;
        for (var g = 0; g < _memberCounts.Length; g++)
        {
            above -= _nonMemberCounts[g];
            wins += _memberCounts[g] * (above + (0.5 * _nonMemberCounts[g]));
        }

        return wins / ((double)_members.Length * _nonMembers.Length);
    }

    double TruePositiveRate(int allowed)
    {
        int right = 0, wrong = 0;
        for (var g = 0; g < _memberCounts.Length && (wrong += _nonMemberCounts[g]) <= allowed; g++)
            right += _memberCounts[g];
        return (double)right / _members.Length;
    }

    static Interval Percentiles(double[] draws, double level)
    {
        Array.Sort(draws);
        return new(Quantiles.At(draws, (1 - level) / 2), Quantiles.At(draws, (1 + level) / 2));
    }

    static void Draw(int[] group, int[] counts, SplitMix64 random)
    {
        Array.Clear(counts);
        for (var i = 0; i < group.Length; i++)
            counts[group[random.Next(group.Length)]]++;
    }

    // Equal values share a group, so that a resample is scored in one pass without sorting.
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
