namespace RegistryUnlearn.Auditing.Statistics;

/// <summary>Quantiles of ascending samples.</summary>
public static class Quantiles
{
    /// <summary>The quantile at <paramref name="share"/> in [0, 1], linear between order statistics (Hyndman, Fan, 1996, type 7).</summary>
    public static double At(ReadOnlySpan<double> ascending, double share)
    {
        Require.Ascending(ascending, nameof(ascending));
        var position = share * (ascending.Length - 1);
        var lower = (int)Math.Floor(position);
        var upper = Math.Min(lower + 1, ascending.Length - 1);
        return ascending[lower] + ((position - lower) * (ascending[upper] - ascending[lower]));
    }

    /// <summary>At most <paramref name="points"/> quantiles at (i + ½)/points: the same distribution in less space.</summary>
    public static double[] Thin(double[] ascending, int points)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(points, 1);
        if (ascending.Length <= points)
            return ascending;
        var thinned = new double[points];
        for (var i = 0; i < points; i++)
            thinned[i] = At(ascending, (i + 0.5) / points);
        return thinned;
    }
}
