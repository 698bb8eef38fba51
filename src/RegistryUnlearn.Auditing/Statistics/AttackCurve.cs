namespace RegistryUnlearn.Auditing.Statistics;

/// <summary>
/// How well any score that is larger for members tells members from non-members: area under the ROC curve and true-positive rates at low
/// false-positive rates (Carlini et al., S&amp;P 2022, section III), each with intervals. A loss is attacked by the score −loss.
/// </summary>
/// <param name="Auc">Probability that a member has the larger score, ties counted one half; 1/2 for a score that knows nothing.</param>
/// <param name="AucInterval">By the bootstrap over members and non-members.</param>
/// <param name="Points">One per false-positive rate that was asked for, in that order.</param>
public sealed record AttackCurve(double Auc, Interval AucInterval, IReadOnlyList<OperatingPoint> Points)
{
    /// <summary>0.1 % and 1 %.</summary>
    public static IReadOnlyList<double> LowFalsePositiveRates { get; } = [0.001, 0.01];

    /// <param name="members">Scores, in any order.</param>
    /// <param name="nonMembers">Scores, in any order.</param>
    /// <param name="falsePositiveRates">In [0, 1]; <see cref="LowFalsePositiveRates"/> if missing.</param>
    /// <param name="resamples">Draws of the bootstrap, at least 1; 1000 is customary.</param>
    /// <param name="level">Coverage of every interval, in (0, 1).</param>
    /// <exception cref="ArgumentException">A set is empty or holds a score that is not finite.</exception>
    public static AttackCurve Of(
        ReadOnlySpan<double> members,
        ReadOnlySpan<double> nonMembers,
        SplitMix64 random,
        IReadOnlyList<double>? falsePositiveRates = null,
        int resamples = 1000,
        double level = 0.95)
    {
        double[] ours = Ascending(members, nameof(members)), others = Ascending(nonMembers, nameof(nonMembers));
        double[] rates = [.. falsePositiveRates ?? LowFalsePositiveRates];
        var (auc, rateIntervals) = new AttackBootstrap(ours, others).Intervals(rates, random, resamples, level);
        return new(
            MembershipAttack.Auc(ours, others),
            auc,
            [.. rates.Select((rate, i) => Point(ours, others, rate, rateIntervals[i], level))]);
    }

    static OperatingPoint Point(double[] members, double[] nonMembers, double rate, Interval bootstrap, double level)
    {
        var (count, threshold) = MembershipAttack.TruePositives(members, nonMembers, rate);
        return new(
            rate,
            (double)count / members.Length,
            Threshold: -threshold,
            ClopperPearson.Of(count, members.Length, level),
            bootstrap,
            IsUpperBound: MembershipAttack.AllowedFalsePositives(nonMembers.Length, rate) == 0);
    }

    static double[] Ascending(ReadOnlySpan<double> scores, string name)
    {
        Require.Finite(scores, name);
        var ascending = new double[scores.Length];
        for (var i = 0; i < scores.Length; i++)
            ascending[i] = -scores[i];
        Array.Sort(ascending);
        return ascending;
    }
}

/// <summary>An attack that calls a sample a member when its score is above a threshold that the non-members fix.</summary>
/// <param name="FalsePositiveRate">The rate that was asked for; the share of non-members above the threshold is at most this.</param>
/// <param name="TruePositiveRate">Share of the members above the threshold.</param>
/// <param name="Threshold">Score; −∞ when every non-member may be called a member.</param>
/// <param name="ExactInterval">Clopper–Pearson, as if the threshold were known: only the members vary.</param>
/// <param name="BootstrapInterval">Members and non-members vary, and the threshold with them.</param>
/// <param name="IsUpperBound">There are fewer non-members than one per false positive (1000 for 0.1 %): the threshold is the largest of
/// them, whose own false-positive rate is expected to be above the one asked for, so the true-positive rate is too high by
/// resolution.</param>
public sealed record OperatingPoint(
    double FalsePositiveRate,
    double TruePositiveRate,
    double Threshold,
    Interval ExactInterval,
    Interval BootstrapInterval,
    bool IsUpperBound);
