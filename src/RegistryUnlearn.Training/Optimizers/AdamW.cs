using System.Numerics;
using System.Runtime.InteropServices;
using RegistryUnlearn.Training.Buffers;

namespace RegistryUnlearn.Training.Optimizers;

/// <summary>
/// Adam with decoupled weight decay (Loshchilov and Hutter, ICLR 2019, algorithm 2), in the form of torch.optim.AdamW:
/// θ ← θ − ηλθ; θ ← θ − η · m̂ / (√v̂ + ε).
/// </summary>
public sealed class AdamW(
    IReadOnlyList<Onnx.Graphs.ModelParameter> layout,
    float weightDecay = 0.01f, float beta1 = 0.9f, float beta2 = 0.999f, float epsilon = 1e-8f)
    : IOptimizer
{
    readonly TensorBlock mean = new(layout);
    readonly TensorBlock square = new(layout);

    public IReadOnlyList<TensorBlock> State => [mean, square];

    public long Steps { get; set; }

    public void Step(TensorBlock parameters, TensorBlock direction, float learningRate)
    {
        parameters.RequireSameLayout(direction);
        parameters.RequireSameLayout(mean);
        Steps++;
        var (keep, rate, scale) = Factors(learningRate, weightDecay, beta1, beta2, Steps);
        for (var i = 0; i < parameters.TensorCount; i++)
            Update(parameters[i], direction[i], mean[i], square[i], keep, rate, scale);
    }

    /// <summary>1 − ηλ, η / (1 − β₁ᵗ) and 1 / √(1 − β₂ᵗ): what a step multiplies θ, m and √v with.</summary>
    /// <param name="step">t, from 1.</param>
    internal static (float Keep, float Rate, float Scale) Factors(
        float learningRate, float weightDecay, float beta1, float beta2, long step) =>
        (1 - learningRate * weightDecay,
            (float)(learningRate / (1 - Math.Pow(beta1, step))),
            (float)(1 / Math.Sqrt(1 - Math.Pow(beta2, step))));

    /// <summary>All four tensors in one pass over memory.</summary>
    void Update(Span<float> theta, ReadOnlySpan<float> g, Span<float> m, Span<float> v, float keep, float rate, float scale)
    {
        var whole = theta.Length - theta.Length % Vector<float>.Count;
        var thetas = MemoryMarshal.Cast<float, Vector<float>>(theta);
        var ms = MemoryMarshal.Cast<float, Vector<float>>(m);
        var vs = MemoryMarshal.Cast<float, Vector<float>>(v);
        var gs = MemoryMarshal.Cast<float, Vector<float>>(g);
        var smallest = new Vector<float>(epsilon);
        for (var i = 0; i < gs.Length; i++)
        {
            ms[i] = ms[i] * beta1 + gs[i] * (1 - beta1);
            vs[i] = vs[i] * beta2 + gs[i] * gs[i] * (1 - beta2);
            thetas[i] = thetas[i] * keep - ms[i] * rate / (Vector.SquareRoot(vs[i]) * scale + smallest);
        }
        for (var i = whole; i < theta.Length; i++)
        {
            m[i] = m[i] * beta1 + g[i] * (1 - beta1);
            v[i] = v[i] * beta2 + g[i] * g[i] * (1 - beta2);
            theta[i] = theta[i] * keep - m[i] * rate / (MathF.Sqrt(v[i]) * scale + epsilon);
        }
    }

    public void Dispose()
    {
        mean.Dispose();
        square.Dispose();
    }
}
