using System.Numerics;
using System.Runtime.InteropServices;
using RegistryUnlearn.Training.Buffers;

namespace RegistryUnlearn.Training.Optimizers;

/// <summary>
/// Stochastic gradient descent with heavy-ball momentum and L2 weight decay, as torch.optim.SGD: v ← μv + g + λθ; θ ← θ − ηv.
/// </summary>
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
            Update(parameters[i], direction[i], velocity[i], learningRate);
        Steps++;
    }

    /// <summary>All three tensors in one pass over memory.</summary>
    void Update(Span<float> theta, ReadOnlySpan<float> g, Span<float> v, float rate)
    {
        var whole = theta.Length - theta.Length % Vector<float>.Count;
        var thetas = MemoryMarshal.Cast<float, Vector<float>>(theta);
        var vs = MemoryMarshal.Cast<float, Vector<float>>(v);
        var gs = MemoryMarshal.Cast<float, Vector<float>>(g);
        for (var i = 0; i < gs.Length; i++)
        {
            vs[i] = vs[i] * momentum + gs[i] + thetas[i] * weightDecay;
            thetas[i] -= vs[i] * rate;
        }
        for (var i = whole; i < theta.Length; i++)
        {
            v[i] = v[i] * momentum + g[i] + theta[i] * weightDecay;
            theta[i] -= v[i] * rate;
        }
    }

    public void Dispose() => velocity.Dispose();
}
