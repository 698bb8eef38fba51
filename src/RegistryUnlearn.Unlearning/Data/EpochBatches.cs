namespace RegistryUnlearn.Unlearning.Data;

/// <summary>
/// Batches for training: every epoch visits each sample once, in a new order. The last batch of an epoch may be smaller.
/// A function of (seed, stream, step); allocates nothing after construction.
/// </summary>
public sealed class EpochBatches
{
    readonly SeededPermutation permutation;
    readonly int batchSize;

    /// <param name="subset">The samples.</param>
    /// <param name="batchSize">Positive; a size above the sample count gives one batch per epoch.</param>
    /// <param name="seed">Chooses the orders.</param>
    /// <param name="stream">Separates this use of the seed from others.</param>
    public EpochBatches(Subset subset, int batchSize, ulong seed, string stream = "epoch")
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(batchSize);
        (permutation, this.batchSize) = (new SeededPermutation(subset, seed, stream), batchSize);
        BatchesPerEpoch = (int)(((long)subset.Count + batchSize - 1) / batchSize);
    }

    public int BatchesPerEpoch { get; }

    /// <summary>The rows of a step's batch, counted from 0 across epochs; valid until the next call.</summary>
    public ReadOnlySpan<int> At(long step)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(step);
        var (epoch, index) = Math.DivRem(step, BatchesPerEpoch);
        var rows = permutation.Of(epoch);
        var start = (int)index * batchSize;
        return rows.Slice(start, Math.Min(batchSize, rows.Length - start));
    }
}
