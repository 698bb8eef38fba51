namespace RegistryUnlearn.Auditing.Statistics;

/// <summary>
/// The robust membership attack on one model (Zarifzadeh, Liu, Shokri, ICML 2024, arXiv 2312.03262): a sample is called a member when it
/// beats many samples of a population in LR(x, z) = [p(x|model) / p(x)] / [p(z|model) / p(z)]. p(·|model) is the probability of the label,
/// p(·) its mean over reference models, one or more. The population are samples that the model was not trained on, drawn as the audited
/// ones were. All probabilities come as logarithms, at most 0 (the negative of <see cref="SetOutputs.Losses"/>).
/// </summary>
public static class Rmia
{
    /// <summary>log [p(x|model) / p(x)] where p(x) is the mean of the reference models' two means, with and without the sample.</summary>
    /// <param name="target">log p(x|model), one per sample.</param>
    /// <param name="ins">log p(x|reference) of models that were trained on the sample.</param>
    /// <param name="outs">log p(x|reference) of models that were not.</param>
    /// <exception cref="ArgumentException">A log probability is above 0 or not finite, or the samples differ in number.</exception>
    public static double[] LogRatiosOnline(ReadOnlySpan<double> target, ScorePool ins, ScorePool outs)
    {
        Check(target, ins, nameof(ins));
        Check(target, outs, nameof(outs));
        var ratios = new double[target.Length];
        for (var i = 0; i < ratios.Length; i++)
            ratios[i] = target[i] - LogMixture(LogMean(ins[i]), LogMean(outs[i]), 0.5);
        return ratios;
    }

    /// <summary>
    /// log [p(x|model) / p(x)] from models that never saw the sample: p(x) = ((1 + a) · mean + (1 − a)) / 2, as if models that saw it
    /// gave it a · mean + (1 − a).
    /// </summary>
    /// <param name="target">log p(x|model), one per sample.</param>
    /// <param name="outs">log p(x|reference) of models that were not trained on the sample.</param>
    /// <param name="a">In [0, 1]: 1 when training on a sample changes nothing. 0.3 is the authors' setting for CIFAR-10, 0.6 for
    /// CIFAR-100.</param>
    /// <exception cref="ArgumentException">As for <see cref="LogRatiosOnline"/>.</exception>
    public static double[] LogRatiosOffline(ReadOnlySpan<double> target, ScorePool outs, double a = 0.3)
    {
        if (a is not (>= 0 and <= 1))
            throw new ArgumentOutOfRangeException(nameof(a), a, "the parameter lies between 0 and 1");
        Check(target, outs, nameof(outs));
        var ratios = new double[target.Length];
        for (var i = 0; i < ratios.Length; i++)
            ratios[i] = target[i] - LogMixture(LogMean(outs[i]), 0, (1 + a) / 2);
        return ratios;
    }

    /// <summary>The share of the population that each sample beats by γ: Pr over z of LR(x, z) ≥ γ; in [0, 1], larger for members.
    /// </summary>
    /// <param name="samples">log [p(x|model) / p(x)] of the audited samples.</param>
    /// <param name="population">The same of the population, made in the same way.</param>
    /// <param name="gamma">Above 0. 1 is the default of the authors' tool; their experiments with augmented queries took 2.</param>
    /// <exception cref="ArgumentException">A ratio is not finite, or there are none.</exception>
    public static double[] Scores(ReadOnlySpan<double> samples, ReadOnlySpan<double> population, double gamma = 1)
    {
        Require.Finite(samples, nameof(samples));
        Require.Finite(population, nameof(population));
        if (!(gamma > 0 && double.IsFinite(gamma)))
            throw new ArgumentOutOfRangeException(nameof(gamma), gamma, "the threshold of a likelihood ratio is above 0");
        var ascending = population.ToArray();
        Array.Sort(ascending);
        var scores = new double[samples.Length];
        for (var i = 0; i < scores.Length; i++)
            scores[i] = (double)UpTo(ascending, samples[i] - Math.Log(gamma)) / ascending.Length;
        return scores;
    }

    static int UpTo(double[] ascending, double value)
    {
        int low = 0, high = ascending.Length;
        while (low < high)
        {
            var middle = (low + high) / 2;
            if (ascending[middle] <= value)
                low = middle + 1;
            else
                high = middle;
        }

        return low;
    }

    // log of the mean of e^x; the largest value keeps the sum from underflow.
    static double LogMean(ReadOnlySpan<double> logarithms)
    {
        var largest = double.NegativeInfinity;
        foreach (var x in logarithms)
            largest = Math.Max(largest, x);
        var sum = 0.0;
        foreach (var x in logarithms)
            sum += Math.Exp(x - largest);
        return largest + Math.Log(sum / logarithms.Length);
    }

    static double LogMixture(double first, double second, double shareOfFirst)
    {
        if (shareOfFirst == 1)
            return first;
        var (a, b) = (first + Math.Log(shareOfFirst), second + Math.Log(1 - shareOfFirst));
        return a + Softplus.Of(b - a);
    }

    static void Check(ReadOnlySpan<double> target, ScorePool pool, string name)
    {
        Require.LogProbabilities(target, nameof(target));
        Require.SameCount(target.Length, pool.Samples, name);
        for (var sample = 0; sample < pool.Samples; sample++)
            Require.LogProbabilities(pool[sample], name);
    }
}
