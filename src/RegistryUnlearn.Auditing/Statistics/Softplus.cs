namespace RegistryUnlearn.Auditing.Statistics;

/// <summary>log(1 + e^x) without overflow and without losing small values, so that confident samples do not tie at zero loss.</summary>
static class Softplus
{
    public static double Of(double x) => Math.Max(x, 0) + LogOnePlus(Math.Exp(-Math.Abs(x)));

    /// <summary>log(1 + x) for x above −1. Kahan's correction: the rounding error of 1 + x cancels in the quotient.</summary>
    public static double LogOnePlus(double x)
    {
        var u = 1 + x;
        return u == 1 ? x : x * Math.Log(u) / (u - 1);
    }
}
