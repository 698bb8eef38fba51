namespace RegistryUnlearn.Unlearning.Data;

/// <summary>How the parts that support and query batches are drawn from were made.</summary>
public enum PartitionRule
{
    /// <summary>Whole groups (classes) went to one part or the other.</summary>
    Groups,

    /// <summary>The groups were too few or too small for the batches, so single samples were divided at random.</summary>
    Samples,

    /// <summary>As <see cref="Samples"/>, and a part smaller than its batch was repeated.</summary>
    RepeatedSamples,
}

/// <summary>
/// Support and query batches that differ in distribution, redrawn at every step (LTU, Huang et al., ECCV 2024: support and queries from
/// different parts of the retained subset). Groups, by default the classes (of samples with many labels, the most frequent), are
/// divided in two halves at random; the support comes from one, all query batches from the other. If a part cannot fill one of its
/// batches with distinct samples, the samples themselves are divided at random, in proportion to the batch sizes; a part that is still
/// too small is repeated in order. Batches have fixed sizes; query batches of a step are disjoint where the part is large enough. A
/// function of (seed, step); allocates nothing after construction.
/// </summary>
public sealed class SupportQueryPartition
{
    readonly ulong seed;
    readonly int queryCount;
    readonly int[] sorted;
    readonly int[] groupStarts;
    readonly int[] groupOrder;
    readonly int[] parts;
    readonly int[] support;
    readonly int[] queries;

    /// <param name="retained">The samples, at least two.</param>
    /// <param name="supportSize">Samples in the support batch.</param>
    /// <param name="querySize">Samples in each query batch.</param>
    /// <param name="queryCount">Query batches per step (M).</param>
    /// <param name="seed">Chooses partitions and samples.</param>
    /// <param name="groups">The group of each sample, in the order of the subset's rows; empty for the labels.</param>
    /// <exception cref="DataException">There is only one sample.</exception>
    public SupportQueryPartition(
        Subset retained, int supportSize, int querySize, int queryCount, ulong seed, ReadOnlySpan<long> groups = default)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(supportSize);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(querySize);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(queryCount);
        if (!groups.IsEmpty && groups.Length != retained.Count)
            throw new ArgumentException($"There are {retained.Count} samples but {groups.Length} groups.", nameof(groups));
        if (retained.Count < 2)
        {
            throw new DataException(retained.Data.File, null, $"the {retained.Role} set has a single sample",
                "name at least two, so that support and queries differ");
        }

        (this.seed, this.queryCount, QuerySize) = (seed, queryCount, querySize);
        sorted = retained.Rows.ToArray();
        var keys = groups.ToArray();
        if (groups.IsEmpty)
            keys = Array.ConvertAll(sorted, retained.Data.MainLabel);
        SortByGroup(keys, sorted);
        groupStarts = [.. Enumerable.Range(0, keys.Length).Where(i => i is 0 || keys[i] != keys[i - 1]), keys.Length];
        groupOrder = new int[groupStarts.Length - 1];
        parts = new int[sorted.Length];
        support = new int[supportSize];
        queries = new int[checked(querySize * queryCount)];
    }

    public int QuerySize { get; }

    /// <summary>The rule that the step drawn last needed.</summary>
    public PartitionRule Rule { get; private set; }

    /// <summary>Rows of the support batch of the step drawn last.</summary>
    public ReadOnlySpan<int> Support => support;

    /// <summary>Rows of a query batch of the step drawn last.</summary>
    public ReadOnlySpan<int> Query(int index)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)index, (uint)queryCount, nameof(index));
        return queries.AsSpan(index * QuerySize, QuerySize);
    }

    /// <summary>Draws partition and batches of a step.</summary>
    public void Draw(long step)
    {
        var rng = Rng.For(seed, "support-query", step);
        var supportPart = DivideGroups(ref rng);
        Rule = PartitionRule.Groups;
        if (!FillsBatches(supportPart))
        {
            supportPart = DivideSamples(ref rng);
            Rule = FillsBatches(supportPart) ? PartitionRule.Samples : PartitionRule.RepeatedSamples;
        }

        Fill(ref rng, parts.AsSpan(0, supportPart), support);
        Fill(ref rng, parts.AsSpan(supportPart), queries);
    }

    bool FillsBatches(int supportPart) => supportPart >= support.Length && parts.Length - supportPart >= QuerySize;

    /// <summary>Puts a random half of the groups first; returns the samples in them. An odd group goes to either half.</summary>
    int DivideGroups(ref Rng rng)
    {
        for (var group = 0; group < groupOrder.Length; group++)
            groupOrder[group] = group;
        rng.Shuffle(groupOrder.AsSpan());
        var half = (groupOrder.Length + rng.NextInt32(2)) / 2;
        var (filled, supportPart) = (0, 0);
        for (var i = 0; i < groupOrder.Length; i++)
        {
            if (i == half)
                supportPart = filled;
            var (start, end) = (groupStarts[groupOrder[i]], groupStarts[groupOrder[i] + 1]);
            sorted.AsSpan(start, end - start).CopyTo(parts.AsSpan(filled));
            filled += end - start;
        }

        return half == groupOrder.Length ? filled : supportPart;
    }

    /// <summary>Shuffles all samples; the first part has its share by batch size, and neither part is empty.</summary>
    int DivideSamples(ref Rng rng)
    {
        sorted.CopyTo(parts.AsSpan());
        rng.Shuffle(parts.AsSpan());
        var share = (long)parts.Length * support.Length / (support.Length + QuerySize);
        return (int)Math.Clamp(share, 1, parts.Length - 1);
    }

    static void Fill(ref Rng rng, Span<int> part, Span<int> batch)
    {
        rng.Sample(part, Math.Min(part.Length, batch.Length));
        for (var i = 0; i < batch.Length; i++)
            batch[i] = part[i % part.Length];
    }

    /// <summary>By group, then by row: the draw must not depend on how the sort treats equal keys.</summary>
    static void SortByGroup(long[] keys, int[] rows)
    {
        var order = Enumerable.Range(0, rows.Length).OrderBy(i => keys[i]).ThenBy(i => rows[i]).ToArray();
        var (sortedKeys, sortedRows) = (Array.ConvertAll(order, i => keys[i]), Array.ConvertAll(order, i => rows[i]));
        sortedKeys.CopyTo(keys, 0);
        sortedRows.CopyTo(rows, 0);
    }
}
