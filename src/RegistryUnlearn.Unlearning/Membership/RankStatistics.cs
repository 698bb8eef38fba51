namespace RegistryUnlearn.Unlearning.Membership;

/// <summary>Statistics of how well scores tell members from non-members.</summary>
public static class RankStatistics
{
    /// <summary>
    /// Area under the ROC curve: the probability that a random member scores higher than a random non-member, ties counting half
    /// (Mann and Whitney, 1947). 0.5 tells nothing, 1 tells all.
    /// </summary>
    /// <exception cref="ArgumentException">A set is empty or holds NaN.</exception>
    public static double Auc(ReadOnlySpan<float> members, ReadOnlySpan<float> nonMembers)
    {
        var (high, low) = (Sorted(members, nameof(members)), Sorted(nonMembers, nameof(nonMembers)));
        var (below, upTo) = (0, 0);
        var wins = 0.0;
        foreach (var score in high)
        {
            while (below < low.Length && low[below] < score)
                below++;
            while (upTo < low.Length && low[upTo] <= score)
                upTo++;
            wins += (below + upTo) / 2.0;
        }

        return wins / ((double)high.Length * low.Length);
    }

    static float[] Sorted(ReadOnlySpan<float> scores, string name)
    {
        if (scores.IsEmpty)
            throw new ArgumentException("There are no scores.", name);
        var sorted = scores.ToArray();
        Array.Sort(sorted);
        return float.IsNaN(sorted[0]) ? throw new ArgumentException("A score is not a number.", name) : sorted;
    }
}
