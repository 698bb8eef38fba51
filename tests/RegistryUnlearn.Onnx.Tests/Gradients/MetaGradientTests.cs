using RegistryUnlearn.Onnx.Graphs;
using RegistryUnlearn.Onnx.Losses;
using RegistryUnlearn.Onnx.Steps;
using RegistryUnlearn.Onnx.Tests.Graphs;
using RegistryUnlearn.Onnx.Tests.Models;

namespace RegistryUnlearn.Onnx.Tests.Gradients;

/// <summary>The gradient of L_S(θ) + λ·mean L_Q(θ − α∇L_S(θ)) of a network with one hidden layer.</summary>
public sealed class MetaGradientTests
{
    const float Alpha = 0.8f, Lambda = 0.7f;

    static readonly string[] Names = ["w1", "b1", "w2"];

    static readonly ForwardModel Model = new(
        Build.Model(Build.Node("Gemm x w1 b1 -> h"), Build.Node("Tanh h -> t"), Build.Node("MatMul t w2 -> y"),
            Build.Learned("w1", 2, 4), Build.Learned("b1", 4), Build.Learned("w2", 4, 3)).With("x: N, 2", "y: N, 3"),
        "x", "y", [2], [new("w1", [2, 4]), new("b1", [4]), new("w2", [4, 3])], t => t);

    static readonly Dictionary<string, Tensor> Feeds = new()
    {
        ["w1"] = Wave(2, 4),
        ["b1"] = Wave(4),
        ["w2"] = Wave(4, 3),
        ["alpha"] = Tensor.Scalar(Alpha),
        ["lambda"] = Tensor.Scalar(Lambda),
        ["support/input"] = Wave(3, 2),
        ["support/labels"] = Tensor.Labels(0, 2, 1),
        ["query-0/input"] = Wave(2, 2),
        ["query-0/labels"] = Tensor.Labels(1, 1),
        ["query-1/input"] = Wave(4, 2),
        ["query-1/labels"] = Tensor.Labels(2, 0, 0, 1),
    };

    [Fact]
    public void Exact_order_agrees_with_difference_quotients_of_the_meta_loss()
    {
        using var meta = new Evaluation(StepGraph.Meta(Model, CrossEntropy, CrossEntropy, queries: 2, MetaOrder.Exact));
        var at = meta.Run(Feeds);
        foreach (var name in Names)
        {
            var gradient = at[StepGraph.Gradient + name].Floats;
            Assert.Equal(Feeds[name].Shape, at[StepGraph.Gradient + name].Shape);
            Assert.Contains(gradient, v => Math.Abs(v) > 1e-2);
            for (var i = 0; i < gradient.Length; i++)
                Assert.Equal((Loss(i, -2) - 8 * Loss(i, -1) + 8 * Loss(i, 1) - Loss(i, 2)) * 32 / 12, gradient[i], 2e-4);

            double Loss(int index, int steps)
            {
                var moved = Feeds[name].Floats.ToArray();
                moved[index] += steps / 32f;
                var result = meta.Run(new Dictionary<string, Tensor>(Feeds) { [name] = Feeds[name] with { Values = moved } });
                return result[StepGraph.SupportLoss].Floats[0] + (double)Lambda * result[StepGraph.QueryLoss].Floats[0];
            }
        }
    }

    [Fact]
    public void First_order_is_the_sum_of_two_plain_gradients()
    {
        using var meta = new Evaluation(StepGraph.Meta(Model, CrossEntropy, CrossEntropy, queries: 2, MetaOrder.First));
        using var exact = new Evaluation(StepGraph.Meta(Model, CrossEntropy, CrossEntropy, queries: 2, MetaOrder.Exact));
        using var plain = new Evaluation(StepGraph.FirstOrder(Model, CrossEntropy));
        Dictionary<string, Tensor> first = meta.Run(Feeds), full = exact.Run(Feeds), support =
            Plain("support/", name => Feeds[name].Floats);
        var queries = new[] { "query-0/", "query-1/" }.Select(q => Plain(q, Tuned)).ToArray();
        foreach (var name in Names)
        {
            var g = StepGraph.Gradient + name;
            for (var i = 0; i < first[g].Floats.Length; i++)
                Assert.Equal(support[g].Floats[i]
                    + Lambda * (queries[0][g].Floats[i] + queries[1][g].Floats[i]) / 2, first[g].Floats[i], 1e-5f);
            Assert.Contains(first[g].Floats.Zip(full[g].Floats), p => Math.Abs(p.First - p.Second) > 1e-2);
        }
        Assert.Equal(full[StepGraph.QueryLoss].Floats, first[StepGraph.QueryLoss].Floats);

        float[] Tuned(string name) => [.. Feeds[name].Floats.Zip(support[StepGraph.Gradient + name].Floats, (p, d) => p - Alpha * d)];

        Dictionary<string, Tensor> Plain(string batch, Func<string, float[]> parameter)
        {
            var feeds = Names.ToDictionary(name => name, name => Feeds[name] with { Values = parameter(name) });
            feeds["input"] = Feeds[batch + "input"];
            feeds["labels"] = Feeds[batch + "labels"];
            return plain.Run(feeds);
        }
    }

    [Fact]
    public void Without_queries_there_is_no_meta_step() =>
        Assert.Throws<ArgumentOutOfRangeException>(() => StepGraph.Meta(Model, CrossEntropy, CrossEntropy, queries: 0, MetaOrder.Exact));

    static Value CrossEntropy(GraphBuilder g, string prefix, Value logits) =>
        ClassificationLosses.CrossEntropy(g, logits, g.Input(prefix + "labels", TensorType.Int64(prefix + "batch")), 3);

    /// <summary>Values without symmetry: sines of multiples of an odd angle.</summary>
    static Tensor Wave(params long[] shape) =>
        new(Enumerable.Range(1, (int)shape.Aggregate(1L, (n, d) => n * d)).Select(i => MathF.Sin(2.3f * i * i + shape.Length)).ToArray(),
            shape);
}
