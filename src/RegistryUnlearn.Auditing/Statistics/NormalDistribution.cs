namespace RegistryUnlearn.Auditing.Statistics;

/// <summary>The normal distribution, to full relative precision in its tails.</summary>
static class NormalDistribution
{
    const double LogRootTwoPi = 0.91893853320467274178;
    const double SeriesBound = 3;
    const int FractionTerms = 120;

    public static double LogDensity(double x, double mean, double deviation)
    {
        var z = (x - mean) / deviation;
        return (-0.5 * z * z) - LogRootTwoPi - Math.Log(deviation);
    }

    /// <summary>log Pr[Z ≥ z] of a standard normal Z; does not underflow.</summary>
    public static double LogSurvival(double z) => z switch
    {
        < 0 => Softplus.LogOnePlus(-Math.Exp(LogSurvival(-z))),
        < SeriesBound => Math.Log(0.5 - Central(z)),
        _ => LogDensity(z, 0, 1) - Math.Log(InverseMills(z)),
    };

    public static double Cdf(double z) => Math.Exp(LogSurvival(-z));

    // Pr[0 ≤ Z ≤ z] as a power series (Marsaglia, Journal of Statistical Software 11(4), 2004).
    static double Central(double z)
    {
        double sum = 0, term = z;
        for (var odd = 3; sum + term != sum; odd += 2)
        {
            sum += term;
            term *= z * z / odd;
        }

        return sum * Math.Exp(LogDensity(z, 0, 1));
    }

    // density / survival as Laplace's continued fraction z + 1/(z + 2/(z + 3/(z + …))), from its end.
    static double InverseMills(double z)
    {
        var fraction = z;
        for (var term = FractionTerms; term > 0; term--)
            fraction = z + (term / fraction);
        return fraction;
    }
}
