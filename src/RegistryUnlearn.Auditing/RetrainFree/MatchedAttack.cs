using RegistryUnlearn.Auditing.Statistics;

namespace RegistryUnlearn.Auditing;

/// <summary>
/// The loss-threshold attack between the forget set and unseen samples that are like it. A forget sample of true class t that was trained
/// with label y is compared with unseen samples of class t under the label y: a retrained model has seen neither, so that whole classes
/// and wrong labels, whose losses are large for it too, count as forgotten and not as forgotten too well. What matching by class does not
/// see is that the forget set may be harder than other samples of its classes.
/// </summary>
/// <param name="Auc">
/// Share of pairs in which the forget sample has the smaller loss, ties one half; each forget sample weighs the same. Above 1/2 something
/// is still known, below the set stands out as less known than unseen samples.
/// </param>
/// <param name="Interval">
/// The AUC ± 1.96 standard deviations of the Mann–Whitney statistic of exchangeable samples (Mann, Whitney, 1947), class by class; with
/// few samples it is wide, as it must be.
/// </param>
/// <param name="Ks">
/// Kolmogorov–Smirnov distance between the forget losses and the unseen ones, these weighted as the forget set's classes are.
/// </param>
/// <param name="Matched">Forget samples that have unseen samples to be compared with.</param>
/// <param name="Unmatched">Forget samples that have none; they count nowhere here.</param>
public sealed record MatchedAttack(double Auc, Interval Interval, double Ks, int Matched, int Unmatched)
{
    const double Normal975 = 1.959963984540054;

    /// <summary>Null when no forget sample has an unseen one of its class.</summary>
    /// <param name="reference">Unseen samples; with kept logits where the forget set has labels that are not the true ones.</param>
    public static MatchedAttack? Of(SetOutputs forget, SetOutputs reference)
    {
        var strata = Strata(forget, reference);
        var matched = strata.Sum(s => s.Forget.Length);
        if (matched == 0)
            return null;
        double auc = 0, variance = 0;
        foreach (var (ours, theirs) in strata)
        {
            var (m, n, share) = ((double)ours.Length, (double)theirs.Length, (double)ours.Length / matched);
            auc += share * MembershipAttack.Auc(ours, theirs);
            variance += share * share * (m + n + 1) / (12 * m * n);
        }

        var reach = Normal975 * Math.Sqrt(variance);
        return new(
            auc, new(Math.Max(0, auc - reach), Math.Min(1, auc + reach)), Distance(strata, matched), matched, forget.Count - matched);
    }

    /// <summary>Losses of the forget samples and of the unseen ones they are compared with, each ascending, group by group.</summary>
    static List<(double[] Forget, double[] Reference)> Strata(SetOutputs forget, SetOutputs reference)
    {
        if (forget.Rows > 1)
            return [(forget.Losses.Order().ToArray(), reference.Losses.Order().ToArray())];
        var unseen = Enumerable.Range(0, reference.Count).ToLookup(i => TrueLabel(reference, i));
        var strata = new List<(double[], double[])>();
        foreach (var group in Enumerable.Range(0, forget.Count).GroupBy(i => (True: TrueLabel(forget, i), Trained: forget.Labels[i]))
            .OrderBy(g => g.Key))
        {
            double[] theirs =
            [
                .. unseen[group.Key.True].Select(i => reference.LossAs(i, group.Key.Trained)).OfType<double>().Order(),
            ];
            if (theirs.Length > 0)
                strata.Add(([.. group.Select(i => forget.Losses[i]).Order()], theirs));
        }

        return strata;

        static int TrueLabel(SetOutputs set, int sample) => (set.TrueLabels ?? set.Labels)[sample];
    }

    static double Distance(List<(double[] Forget, double[] Reference)> strata, int matched)
    {
        var steps = new List<(double Loss, double Ours, double Theirs)>();
        foreach (var (ours, theirs) in strata)
        {
            steps.AddRange(ours.Select(loss => (loss, 1.0 / matched, 0.0)));
            steps.AddRange(theirs.Select(loss => (loss, 0.0, (double)ours.Length / matched / theirs.Length)));
        }

        double difference = 0, largest = 0;
        foreach (var step in steps.GroupBy(s => s.Loss).OrderBy(g => g.Key))
        {
            difference += step.Sum(s => s.Ours - s.Theirs);
            largest = Math.Max(largest, Math.Abs(difference));
        }

        return largest;
    }
}
