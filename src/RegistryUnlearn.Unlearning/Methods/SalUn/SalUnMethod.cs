using System.Numerics.Tensors;
using RegistryUnlearn.Training.Buffers;
using RegistryUnlearn.Unlearning.Runs;

namespace RegistryUnlearn.Unlearning.Methods.SalUn;

/// <param name="Share">Share of all parameters that may change, 0..1</param>
/// <param name="ForgetWeight">Of the mean loss on samples to forget, 0..1,000</param>
/// <param name="Steps">1..1,000,000</param>
/// <param name="Batch">Samples per step and side, 1..65,536</param>
public sealed record SalUnOptions(
    float Share, float ForgetWeight, int Steps, int Batch, OptimizerOptions Optimizer, StopOptions Stop);

/// <summary>
/// SalUn: random labels as in <c>srl</c>, but only the parameters with the largest gradient of the loss on the samples to forget change
/// (Fan et al., SalUn, ICLR 2024).
/// </summary>
public sealed class SalUnMethod : IUnlearningMethod
{
    public string Name => "salun";

    public string Summary => "random labels, restricted to the parameters that matter most for the samples to forget";

    public string Needs => "retained samples; a holdout to stop in time";

    public string NotFor => "strict audits: forgotten samples become confidently wrong, which no unseen sample is";

    public object ReadOptions(OptionReader reader) => new SalUnOptions(
        reader.Float("share", 0.5f, 0, 1),
        reader.Float("forgetWeight", 1, 0, 1000),
        reader.Int("steps", 60, 1, 1_000_000),
        reader.Int("batch", 64, 1, 65_536),
        OptimizerOptions.Read(reader, new(OptimizerKind.Adamw, 0.001f, 0.9f, 0, Schedule.Linear), largestDecay: 0),
        StopOptions.Read(reader));

    public MethodRun Start(UnlearningTask task, object options)
    {
        var given = (SalUnOptions)options;
        var forget = task.Forget ?? throw new ArgumentException("the task has no samples to forget", nameof(task));
        using var saliency = GradientSum.Of(task, forget, task.Batch(given.Batch), new SummedSamples(forget, 1, "saliency"));
        return new RandomLabelRun(task, given.Steps, given.Batch, given.ForgetWeight, given.Optimizer, given.Stop,
            factors => Largest(saliency, given.Share, factors));
    }

    /// <summary>Writes 1 where an element is among the largest of all, 0 elsewhere; of equal ones all are among them.</summary>
    static void Largest(TensorBlock values, float share, TensorBlock chosen)
    {
        var sizes = new float[values.Layout.Sum(p => p.Count)];
        for (var (i, n) = (0, 0); i < values.TensorCount; n += values[i++].Length)
            TensorPrimitives.Abs(values[i], sizes.AsSpan(n));
        Array.Sort(sizes);
        var kept = (int)Math.Round(share * sizes.Length);
        var least = kept is 0 ? float.PositiveInfinity : sizes[^kept];
        for (var i = 0; i < values.TensorCount; i++)
            for (var j = 0; j < values[i].Length; j++)
                chosen[i][j] = MathF.Abs(values[i][j]) >= least ? 1 : 0;
    }
}
