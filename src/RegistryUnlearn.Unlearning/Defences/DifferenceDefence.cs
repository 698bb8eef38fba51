using System.Numerics.Tensors;
using RegistryUnlearn.Training.Buffers;
using RegistryUnlearn.Unlearning.Data;
using RegistryUnlearn.Unlearning.Methods;
using RegistryUnlearn.Unlearning.Methods.FineTune;
using RegistryUnlearn.Unlearning.Runs;

namespace RegistryUnlearn.Unlearning.Defences;

/// <summary>
/// Defences against unlearning inversion (Hu et al., IEEE S&amp;P 2024, section on mitigations), applied to the difference between a result
/// and its parent: first further steps on retained samples, then pruning, then noise. Each costs something; the audit that follows sees it.
/// </summary>
public static class DifferenceDefence
{
    const int Batch = 64;
    const float Rate = 1e-4f;

    /// <summary>A block of its own with the defended parameters; the result itself stays.</summary>
    /// <param name="task">Gives the parent's parameters, retained samples and the seed.</param>
    /// <param name="result">In the host's memory.</param>
    public static TensorBlock Apply(UnlearningTask task, TensorBlock result, DefenceOptions options)
    {
        var defended = options.RetainedSteps > 0 ? Trained(task, result, options.RetainedSteps) : result.Clone();
        for (var i = 0; i < defended.TensorCount; i++)
        {
            if (options.Prune > 0)
                Prune(task.Original[i], defended[i], options.Prune);
            if (options.Noise > 0)
                AddNoise(task.Original[i], defended[i], options.Noise, Rng.For(task.Seed, "defence/noise", i));
        }

        return defended;
    }

    static TensorBlock Trained(UnlearningTask task, TensorBlock result, int steps)
    {
        using var run = new FineTuneMethod().Start(
            task with { Original = result },
            new FineTuneOptions(
                steps, Batch, new OptimizerOptions(OptimizerKind.Adamw, Rate, 0, 0, Schedule.Linear),
                new StopOptions(StopKind.None, 0, 1)));
        while (!run.IsDone)
            run.Advance();
        return run.Result.Clone();
    }

    static void Prune(ReadOnlySpan<float> parent, Span<float> child, float share)
    {
        var changes = new float[child.Length];
        var order = new int[child.Length];
        for (var i = 0; i < changes.Length; i++)
            (changes[i], order[i]) = (Math.Abs(child[i] - parent[i]), i);
        // Equal changes fall in the order of their places, so that the same input gives the same bytes.
        Array.Sort(order, (a, b) => changes[a] != changes[b] ? changes[a].CompareTo(changes[b]) : a.CompareTo(b));
        foreach (var place in order.AsSpan(0, (int)Math.Round(share * (double)order.Length)))
            child[place] = parent[place];
    }

    static void AddNoise(ReadOnlySpan<float> parent, Span<float> child, float noise, Rng random)
    {
        var difference = new float[child.Length];
        TensorPrimitives.Subtract(child, parent, difference);
        var deviation = noise * Math.Sqrt(TensorPrimitives.SumOfSquares<float>(difference) / difference.Length);
        for (var i = 0; i < child.Length; i++)
            child[i] += (float)(deviation * random.NextNormal());
    }
}
