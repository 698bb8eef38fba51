using RegistryUnlearn.Onnx.Graphs;
using RegistryUnlearn.Onnx.Steps;
using RegistryUnlearn.Training.Buffers;
using RegistryUnlearn.Training.Preconditioning;
using RegistryUnlearn.Training.Runtime;
using RegistryUnlearn.Training.Tests.Runtime;

namespace RegistryUnlearn.Training.Tests.Preconditioning;

/// <summary>
/// The meta-gradient with a preconditioned inner step, against the same put together from single steps: to first order exactly, with the
/// derivative of the inner step by central differences of the loss.
/// </summary>
public sealed class PreconditionedMetaStepTests : IDisposable
{
    const int Samples = 8, Classes = 3;
    const float Alpha = 0.05f, Lambda = 0.7f;

    readonly ForwardModel model = SmallModel.Of([2, 3, 3], (m, g, x) =>
    {
        var y = g.Add("Tanh", [g.Add("Conv", [x, m.Parameter("conv.w", 2, 2, 2, 2), m.Parameter("conv.b", 2)])]);
        return g.Add(g.Gemm(g.Reshape(y, -1, 8), m.Parameter("fc.w", Classes, 8), transB: true), m.Parameter("shift", Classes));
    });

    readonly TensorBlock parameters;
    readonly Kfac kfac;
    readonly GraphSession plain;

    public PreconditionedMetaStepTests()
    {
        parameters = SmallModel.Random(model, 1);
        kfac = Kfac.Measure(
            model, Classes, parameters, 64, (start, to) => SmallModel.Fill(to, 5 + start), (start, to) => SmallModel.Fill(to, 99 + start), 0.5);
        plain = new(StepGraph.FirstOrder(model, SmallModel.CrossEntropy(Classes)));
    }

    [Fact]
    public void The_first_order_step_is_the_sum_of_both_gradients()
    {
        using var meta = Meta(MetaOrder.First);
        Assert.Equal(2, kfac.Layers.Count);
        var (onSupport, _) = Plain(parameters, 0);
        using var tuned = Tuned(parameters);
        var (onQuery, _) = Plain(tuned, 1);
        for (var i = 0; i < onSupport.TensorCount; i++)
            for (var j = 0; j < onSupport[i].Length; j++)
                Assert.Equal(onSupport[i][j] + Lambda * onQuery[i][j], meta[i][j], 2e-5);
        onSupport.Dispose();
        onQuery.Dispose();
    }

    [Fact]
    public void The_exact_step_is_the_derivative_of_the_loss()
    {
        using var meta = Meta(MetaOrder.Exact);
        for (var seed = 20; seed < 24; seed++)
        {
            using var direction = SmallModel.Random(model, seed);
            var expected = 0.0;
            for (var i = 0; i < meta.TensorCount; i++)
                for (var j = 0; j < meta[i].Length; j++)
                    expected += meta[i][j] * direction[i][j];
            const float step = 5e-3f;
            Assert.Equal(expected, (Total(direction, step) - Total(direction, -step)) / (2 * step), 2e-3 * Math.Max(1, Math.Abs(expected)));
        }
    }

    /// <summary>L_S(θ) + λ·L_Q(θ − α·P∇L_S(θ)) a step along a direction from θ.</summary>
    double Total(TensorBlock direction, float step)
    {
        using var moved = parameters.Clone();
        for (var i = 0; i < moved.TensorCount; i++)
            for (var j = 0; j < moved[i].Length; j++)
                moved[i][j] += step * direction[i][j];
        using var tuned = Tuned(moved);
        var ((a, support), (b, query)) = (Plain(moved, 0), Plain(tuned, 1));
        a.Dispose();
        b.Dispose();
        return support + Lambda * query;
    }

    TensorBlock Tuned(TensorBlock at)
    {
        var (gradient, _) = Plain(at, 0);
        kfac.Apply(gradient);
        var tuned = at.Clone();
        for (var i = 0; i < tuned.TensorCount; i++)
            for (var j = 0; j < tuned[i].Length; j++)
                tuned[i][j] -= Alpha * gradient[i][j];
        gradient.Dispose();
        return tuned;
    }

    (TensorBlock Gradient, double Loss) Plain(TensorBlock at, int batch)
    {
        var gradient = new TensorBlock(model.Parameters);
        using var step = new BoundStep(plain, _ => Samples, at, gradient);
        Fill(step, "", batch);
        step.Run();
        return (gradient, step.Scalar(StepGraph.Loss));
    }

    TensorBlock Meta(MetaOrder order)
    {
        var loss = SmallModel.CrossEntropy(Classes);
        var gradient = new TensorBlock(model.Parameters);
        using var session = new GraphSession(StepGraph.Meta(model, loss, loss, 1, order, kfac.Layers));
        using var step = new BoundStep(session, _ => Samples, parameters, gradient);
        kfac.Set(step);
        (step[StepGraph.Alpha].Floats[0], step[StepGraph.Lambda].Floats[0]) = (Alpha, Lambda);
        Fill(step, StepGraph.Support, 0);
        Fill(step, StepGraph.Query(0), 1);
        step.Run();
        return gradient;
    }

    static void Fill(BoundStep step, string prefix, int batch)
    {
        SmallModel.Fill(step[prefix + "input"].Floats, 40 + batch);
        for (var i = 0; i < Samples; i++)
            step[prefix + "labels"].Longs[i] = (i + batch) % Classes;
    }

    public void Dispose()
    {
        plain.Dispose();
        kfac.Dispose();
        parameters.Dispose();
    }
}
