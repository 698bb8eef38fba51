using System.Numerics.Tensors;
using RegistryUnlearn.Training.Buffers;

namespace RegistryUnlearn.Unlearning.Runs;

static class Norms
{
    /// <summary>Sum of squares over all tensors, each summed in float32; NaN or infinite if an element or its square is.</summary>
    public static double SquareSum(TensorBlock block)
    {
        var sum = 0.0;
        for (var i = 0; i < block.TensorCount; i++)
            sum += TensorPrimitives.SumOfSquares((ReadOnlySpan<float>)block[i]);
        return sum;
    }
}
