using System.Numerics.Tensors;
using RegistryUnlearn.Onnx.Graphs;
using RegistryUnlearn.Training.Buffers;
using RegistryUnlearn.Training.Harmonization;
using RegistryUnlearn.Training.Optimizers;

namespace RegistryUnlearn.Training.Algebra;

/// <summary>Block algebra in the host's memory.</summary>
sealed class HostAlgebra(IReadOnlyList<ModelParameter> layout) : IBlockAlgebra
{
    public double SquareSum(TensorBlock block)
    {
        var sum = 0.0;
        for (var i = 0; i < block.TensorCount; i++)
            sum += TensorPrimitives.SumOfSquares((ReadOnlySpan<float>)block[i]);
        return sum;
    }

    public void Mix(TensorBlock target, float keep, TensorBlock other, float weight)
    {
        target.RequireSameLayout(other);
        for (var i = 0; i < target.TensorCount; i++)
        {
            if (keep is not 1f) TensorPrimitives.Multiply(target[i], keep, target[i]);
            TensorPrimitives.MultiplyAdd(other[i], weight, target[i], target[i]);
        }
    }

    public void Multiply(TensorBlock target, TensorBlock factors)
    {
        target.RequireSameLayout(factors);
        for (var i = 0; i < target.TensorCount; i++)
            TensorPrimitives.Multiply(target[i], factors[i], target[i]);
    }

    public void AddSigns(TensorBlock target, TensorBlock other, float weight)
    {
        target.RequireSameLayout(other);
        for (var i = 0; i < target.TensorCount; i++)
        {
            Span<float> sum = target[i], values = other[i];
            for (var j = 0; j < sum.Length; j++)
                sum[j] += values[j] > 0 ? weight : values[j] < 0 ? -weight : 0;
        }
    }

    public Harmonized Harmonize(
        TensorBlock remember, TensorBlock forget, HarmonizationScope scope, HarmonizationMode mode, float forgetWeight) =>
        Harmonizer.Combine(remember, forget, scope, mode, forgetWeight);

    public IOptimizer SgdMomentum(float momentum, float weightDecay) => new SgdMomentum(layout, momentum, weightDecay);

    public IOptimizer AdamW(float weightDecay, float beta1, float beta2, float epsilon) =>
        new AdamW(layout, weightDecay, beta1, beta2, epsilon);

    public void Dispose()
    {
    }
}
