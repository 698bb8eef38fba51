using System.Numerics.Tensors;
using RegistryUnlearn.Training.Buffers;

namespace RegistryUnlearn.Training.Optimizers;

/// <summary>Stochastic gradient descent with heavy-ball momentum and L2 weight decay, as torch.optim.SGD: v ← μv + g + λθ; θ ← θ − ηv.</summary>
/// <param name="momentum">μ, 0 ≤ μ &lt; 1</param>
/// <param name="weightDecay">λ ≥ 0</param>
public sealed class SgdMomentum(IReadOnlyList<Onnx.Graphs.ModelParameter> layout, float momentum, float weightDecay = 0) : IOptimizer
{
    readonly TensorBlock velocity = new(layout);

    public IReadOnlyList<TensorBlock> State => [velocity];

    public long Steps { get; set; }

    public void Step(TensorBlock parameters, TensorBlock direction, float learningRate)
    {
        parameters.RequireSameLayout(direction);
        parameters.RequireSameLayout(velocity);
        for (var i = 0; i < parameters.TensorCount; i++)
        {
            Span<float> theta = parameters[i], v = velocity[i];
            TensorPrimitives.MultiplyAdd(v, momentum, direction[i], v);
            if (weightDecay != 0)
                TensorPrimitives.MultiplyAdd(theta, weightDecay, v, v);
            TensorPrimitives.MultiplyAdd(v, -learningRate, theta, theta);
        }
        Steps++;
    }

    public void Dispose() => velocity.Dispose();
}
