namespace RegistryUnlearn.Unlearning.Data;

/// <summary>The permutation of a subset's rows that belongs to (seed, stream, epoch); the last one asked for is kept.</summary>
sealed class SeededPermutation(Subset subset, ulong seed, string stream)
{
    readonly int[] rows = new int[subset.Count];
    long epoch = -1;

    public int Count => rows.Length;

    public ReadOnlySpan<int> Of(long wanted)
    {
        if (wanted != epoch)
        {
            subset.Rows.CopyTo(rows);
            Rng.For(seed, stream, wanted).Shuffle(rows.AsSpan());
            epoch = wanted;
        }

        return rows;
    }
}
