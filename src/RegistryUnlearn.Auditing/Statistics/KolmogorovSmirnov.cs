namespace RegistryUnlearn.Auditing.Statistics;

/// <summary>The two-sample Kolmogorov–Smirnov statistic.</summary>
public static class KolmogorovSmirnov
{
    /// <summary>
    /// Largest distance between the two empirical distribution functions, in [0, 1]. Both samples ascending and not empty.
    /// </summary>
    public static double Distance(ReadOnlySpan<double> first, ReadOnlySpan<double> second)
    {
        Require.Ascending(first, nameof(first));
        Require.Ascending(second, nameof(second));
        int i = 0, j = 0;
        var largest = 0.0;
        while (i < first.Length && j < second.Length)
        {
            var value = Math.Min(first[i], second[j]);
            while (i < first.Length && first[i] <= value)
                i++;
            while (j < second.Length && second[j] <= value)
                j++;
            largest = Math.Max(largest, Math.Abs(((double)i / first.Length) - ((double)j / second.Length)));
        }

        return largest;
    }
}
