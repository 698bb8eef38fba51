namespace RegistryUnlearn.Unlearning.StopRules;

/// <summary>Statistics of samples of numbers.</summary>
static class Samples
{
    public static double StandardDeviation(ReadOnlySpan<float> values)
    {
        double mean = 0, square = 0;
        foreach (var v in values)
            mean += v;
        mean /= values.Length;
        foreach (var v in values)
            square += (v - mean) * (v - mean);
        return Math.Sqrt(square / values.Length);
    }

    /// <summary>
    /// Largest distance between the two empirical distribution functions (Kolmogorov-Smirnov), 0..1; infinite where a value is NaN.
    /// </summary>
    /// <param name="a">Sorted ascending, NaN first.</param>
    /// <param name="b">Sorted ascending, NaN first.</param>
    public static double KolmogorovSmirnov(ReadOnlySpan<float> a, ReadOnlySpan<float> b)
    {
        if (a is [float.NaN, ..] || b is [float.NaN, ..])
            return double.PositiveInfinity;
        double largest = 0;
        for (int i = 0, j = 0; i < a.Length && j < b.Length;)
        {
            var at = Math.Min(a[i], b[j]);
            while (i < a.Length && a[i] <= at)
                i++;
            while (j < b.Length && b[j] <= at)
                j++;
            largest = Math.Max(largest, Math.Abs((double)i / a.Length - (double)j / b.Length));
        }
        return largest;
    }

    /// <summary>The quantile at q in 0..1 of sorted values, linear between neighbours.</summary>
    public static float Quantile(ReadOnlySpan<float> sorted, double q)
    {
        var at = q * (sorted.Length - 1);
        var low = (int)Math.Floor(at);
        var high = Math.Min(low + 1, sorted.Length - 1);
        return (float)(sorted[low] + (at - low) * (sorted[high] - sorted[low]));
    }

    public static float[] Sorted(IEnumerable<float> values)
    {
        float[] sorted = [.. values];
        Array.Sort(sorted);
        return sorted;
    }

    /// <summary>Rank of every value among all of them, from 0; equal values keep their order.</summary>
    public static int[] Ranks(float[] values)
    {
        int[] order = [.. Enumerable.Range(0, values.Length).OrderBy(i => values[i]).ThenBy(i => i)];
        var ranks = new int[values.Length];
        for (var r = 0; r < order.Length; r++)
            ranks[order[r]] = r;
        return ranks;
    }
}
