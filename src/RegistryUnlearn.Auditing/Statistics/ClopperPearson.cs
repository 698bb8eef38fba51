namespace RegistryUnlearn.Auditing.Statistics;

/// <summary>The exact interval of a binomial share (Clopper, Pearson, Biometrika 1934); it covers at least its level.</summary>
public static class ClopperPearson
{
    /// <param name="successes">In [0, <paramref name="trials"/>].</param>
    /// <param name="trials">At least 1.</param>
    /// <param name="level">Coverage in (0, 1), for example 0.95; each tail has half of the rest.</param>
    public static Interval Of(int successes, int trials, double level = 0.95)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(trials, 1);
        ArgumentOutOfRangeException.ThrowIfNegative(successes);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(successes, trials);
        Require.Level(level);
        var tail = (1 - level) / 2;
        return new(Low(successes, trials, tail), 1 - Low(trials - successes, trials, tail));
    }

    // The share at which so many successes or more are only as likely as the tail.
    static double Low(int successes, int trials, double tail)
    {
        if (successes == 0)
            return 0;
        var logChoices = 0.0;
        for (var i = 1; i <= successes; i++)
            logChoices += Math.Log((double)(trials - successes + i) / i);
        double low = 0, high = (double)successes / trials;
        while (true)
        {
            var middle = low + ((high - low) / 2);
            if (middle <= low || middle >= high)
                return low;
            if (UpperTail(successes, trials, middle, logChoices) < tail)
                low = middle;
            else
                high = middle;
        }
    }

    // Pr[at least so many successes]; the share is at most successes / trials, so the terms fall from the first on.
    static double UpperTail(int successes, int trials, double share, double logChoices)
    {
        var odds = share / (1 - share);
        var term = Math.Exp(logChoices + (successes * Math.Log(share)) + ((trials - successes) * Softplus.LogOnePlus(-share)));
        var sum = 0.0;
        for (var i = successes; i <= trials && sum + term != sum; i++)
        {
            sum += term;
            term *= (double)(trials - i) / (i + 1) * odds;
        }

        return sum;
    }
}
