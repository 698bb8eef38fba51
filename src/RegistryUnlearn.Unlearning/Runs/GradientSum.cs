using RegistryUnlearn.Training.Algebra;
using RegistryUnlearn.Training.Buffers;
using RegistryUnlearn.Unlearning.Data;
using RegistryUnlearn.Unlearning.Methods;

namespace RegistryUnlearn.Unlearning.Runs;

/// <summary>Samples whose gradients are summed.</summary>
/// <param name="Weight">Of each batch's mean loss; negative to take the gradient off.</param>
/// <param name="Stream">Separates this use of the seed from others.</param>
sealed record SummedSamples(Subset Subset, float Weight, string Stream);

/// <summary>Cross-entropy gradients at the original, summed over batches.</summary>
static class GradientSum
{
    /// <summary>Σ weight · ∇CE over as many batches of each part as the samples to forget fill, in the host's memory.</summary>
    public static TensorBlock Of(UnlearningTask task, Subset forget, int batch, params IReadOnlyList<SummedSamples> parts)
    {
        using var parameters = new TensorBlock(task.Original.Layout, task.Device);
        parameters.CopyFrom(task.Original);
        using TensorBlock one = new(task.Original.Layout, task.Device), sum = new(task.Original.Layout, task.Device);
        using var gradient = new CrossEntropyGradient(task, parameters, one);
        using var algebra = BlockAlgebra.On(task.Device, task.Original.Layout);
        CyclicBatches[] batches = [.. parts.Select(p => new CyclicBatches(p.Subset, batch, task.Seed, p.Stream))];
        for (var i = 0; i < (forget.Count + batch - 1) / batch; i++)
            for (var p = 0; p < parts.Count; p++)
            {
                gradient.Run(parts[p].Subset.Data, batches[p].At(i));
                algebra.Mix(sum, 1, one, parts[p].Weight);
            }
        return sum.ToHost();
    }
}
