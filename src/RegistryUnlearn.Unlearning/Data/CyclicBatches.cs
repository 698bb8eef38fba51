namespace RegistryUnlearn.Unlearning.Data;

/// <summary>
/// Batches of a fixed size that cycle through a subset, typically the forget set: one random order follows the other without a gap, so
/// all samples are used equally often up to one. A batch that crosses from one order to the next may hold a sample twice, and does so
/// when the subset is smaller than the batch. A function of (seed, stream, step); allocates nothing after construction.
/// </summary>
public sealed class CyclicBatches
{
    readonly SeededPermutation permutation;
    readonly int[] batch;

    /// <param name="subset">The samples.</param>
    /// <param name="batchSize">Positive. Consecutive parts of a batch (support, queries) are disjoint within one order.</param>
    /// <param name="seed">Chooses the orders.</param>
    /// <param name="stream">Separates this use of the seed from others.</param>
    public CyclicBatches(Subset subset, int batchSize, ulong seed, string stream = "forget")
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(batchSize);
        (permutation, batch) = (new SeededPermutation(subset, seed, stream), new int[batchSize]);
    }

    /// <summary>The rows of a step's batch, counted from 0; valid until the next call.</summary>
    public ReadOnlySpan<int> At(long step)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(step);
        var (epoch, offset) = Math.DivRem(checked(step * batch.Length), permutation.Count);
        for (var filled = 0; filled < batch.Length; epoch++, offset = 0)
        {
            var order = permutation.Of(epoch)[(int)offset..];
            var taken = Math.Min(order.Length, batch.Length - filled);
            order[..taken].CopyTo(batch.AsSpan(filled));
            filled += taken;
        }

        return batch;
    }
}
