using System.Numerics.Tensors;
using RegistryUnlearn.Auditing.Statistics;

namespace RegistryUnlearn.Auditing;

/// <summary>
/// Whether the unlearning left a mark around the forgotten samples: unseen samples that lie near them, by the logits of the model before,
/// against unseen samples of the same label that the model before was as sure of but that lie elsewhere.
/// </summary>
/// <param name="Auc">
/// Probability that a neighbour lost more confidence than its control, ties one half; 1/2 when nothing sets neighbours apart.
/// </param>
/// <param name="ConfidenceLost">How much more logit-scaled confidence neighbours lost than their controls, mean, in nats.</param>
/// <param name="Neighbours">Pairs that were compared.</param>
public sealed record NeighbourLeakage(double Auc, double ConfidenceLost, int Neighbours)
{
    /// <summary>Share of the unseen samples that count as neighbours.</summary>
    const double Nearest = 0.1;

    /// <summary>At fewer pairs than this the comparison is noise.</summary>
    const int Least = 10;

    /// <summary>More samples than these are thinned evenly: the distances are of all pairs.</summary>
    const int MostForget = 512, MostUnseen = 4096;

    /// <summary>Null when logits were not kept, samples have several labels, or there are too few of them.</summary>
    /// <param name="forget">The forget set by the model before unlearning, with its logits.</param>
    /// <param name="before">Unseen samples by the model before, with its logits.</param>
    /// <param name="after">The same samples by the model after.</param>
    public static NeighbourLeakage? Of(SetOutputs forget, SetOutputs before, SetOutputs after)
    {
        if (forget.Logits is null || before.Logits is null || forget.Rows > 1)
            return null;
        var unseen = Evenly(before.Count, MostUnseen);
        var wanted = (int)Math.Round(Nearest * unseen.Length);
        if (wanted < Least)
            return null;
        float[][] centres = [.. Evenly(forget.Count, MostForget).Select(i => Centred(forget, i))];
        var nearest = unseen.OrderBy(i => Distance(Centred(before, i), centres)).ThenBy(i => i).Take(wanted).ToArray();
        var free = unseen.Except(nearest).ToHashSet();
        List<double> near = [], controls = [];
        foreach (var neighbour in nearest)
        {
            var same = free.Where(i => before.Labels[i] == before.Labels[neighbour]).ToList();
            if (same.Count == 0)
                continue;
            var control = same.MinBy(i => (Math.Abs(before.Confidences[i] - before.Confidences[neighbour]), i));
            free.Remove(control);
            near.Add(Lost(neighbour));
            controls.Add(Lost(control));
        }

        if (near.Count < Least)
            return null;
        var auc = MembershipAttack.Auc([.. near.Select(x => -x).Order()], [.. controls.Select(x => -x).Order()]);
        return new(auc, near.Average() - controls.Average(), near.Count);

        double Lost(int sample) => before.Confidences[sample] - after.Confidences[sample];
    }

    static float[] Centred(SetOutputs set, int sample)
    {
        var row = set.Logits.AsSpan(sample * set.Classes, set.Classes).ToArray();
        TensorPrimitives.Subtract(row, TensorPrimitives.Average<float>(row), row);
        return row;
    }

    static float Distance(float[] point, float[][] centres)
    {
        var least = float.PositiveInfinity;
        foreach (var centre in centres)
            least = Math.Min(least, TensorPrimitives.Distance(point, centre));
        return least;
    }

    static int[] Evenly(int count, int most) =>
        count <= most ? [.. Enumerable.Range(0, count)] : [.. Enumerable.Range(0, most).Select(i => (int)((long)i * count / most))];
}
