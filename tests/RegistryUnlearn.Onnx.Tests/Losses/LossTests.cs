using RegistryUnlearn.Onnx.Gradients;
using RegistryUnlearn.Onnx.Graphs;
using RegistryUnlearn.Onnx.Losses;
using RegistryUnlearn.Onnx.Tests.Graphs;

namespace RegistryUnlearn.Onnx.Tests.Losses;

/// <summary>
/// Losses of five samples in three classes: two ordinary ones, two saturated ones (right and wrong), a memorised one. Values are literal
/// numbers computed in float64 elsewhere; gradients are compared with difference quotients of the formulas in float64.
/// </summary>
public sealed class LossTests
{
    const int Classes = 3;

    static readonly float[][] Logits = [[1, 2, 3], [-1, 0.5f, 0.25f], [80, -80, 0], [80, -80, 0], [20, 0, -3]];

    static readonly long[] Labels = [2, 0, 0, 1, 0];

    static readonly float[][] Targets = [[0.2f, 0.3f, 0.5f], [0.6f, 0.1f, 0.3f], [0.5f, 0.25f, 0.25f], [1, 0, 0], [0.2f, 0.4f, 0.4f]];

    static readonly float[][] Others = [[0.25f, 0.75f, 0], [0, 0.5f, 0.5f], [0, 0.9f, 0.1f], [0.3f, 0, 0.7f], [0, 1, 0]];

    static readonly float[][] Directions = [[1, 0.5f, -0.7f], [-0.3f, 0.9f, 0.2f], [0.6f, -1, 0.4f], [0.1f, 0.8f, -0.9f], [-0.5f, 0.7f, 1]];

    static readonly double[] Weights = [0.4, -1.2, 0.7, 0.9];

    [Fact]
    public void Cross_entropy_per_sample() => Close([0.4076059644443804, 2.1941121864019144, 0, 160, 2.163772492171317e-09],
        Value((g, z, y) => ClassificationLosses.CrossEntropyPerSample(g, z, y, Classes)), 1e-6);

    [Fact]
    public void Logit_scaled_confidence() => Close([0.686738312481777, -2.0759394198788437, 80, -160, 19.95141264842626],
        Value((g, z, y) => ClassificationLosses.Confidence(g, z, ClassificationLosses.LabelMask(g, y, Classes))), 1e-6);

    /// <summary>Memorised samples keep their digits: 1 − p_y = 2·10⁻⁹ shows in the second feature.</summary>
    [Fact]
    public void Membership_features() => Close(
        [
            -0.4076059644443804, 0.6867353252629891, 0.8323955818399389, -0.4076059644443804,
            -2.1941121864019144, -2.075940545316743, 0.958554592761364, -0.6941121864019144,
            0, 13.815510557964274, 0, 0,
            -160, -160.0000009999995, 0, 0,
            -2.163772492171317e-09, 13.813349120970564, 4.5747077161929526e-08, -2.163772492171317e-09,
        ],
        Value((g, z, y) => MembershipLosses.Features(g, z, y, Classes)), 1e-6);

    [Fact]
    public void Scalars_of_the_first_two_samples()
    {
        Close([1.3008590754231475], Value((g, z, y) => ClassificationLosses.CrossEntropy(g, z, y, Classes), 2), 1e-6);
        Close([1.3883590754231474], Value((g, z, _) => ClassificationLosses.SoftTargetCrossEntropy(g, z, Rows(g, "targets")), 2), 1e-6);
        Close([0.6080555555555556],
            Value((g, z, _) => g.MeanAll(ClassificationLosses.CentredLogitDistance(g, z, Rows(g, "targets"))), 2), 1e-6);
        Close([0.6321005536985334],
            Value((g, z, y) => g.MeanAll(ClassificationLosses.OtherClassesCrossEntropy(g, z, Rows(g, "others"),
                ClassificationLosses.LabelMask(g, y, Classes))), 2), 1e-6);
    }

    [Fact]
    public void Losses_of_scores()
    {
        Close([0.0625, 0.25, 2.75, 0],
            Of((g, v) => ClassificationLosses.Huber(g, v, Vector(g, 0.25f, 0.5f, 0, 0.5f), 0.5f), 0, 1, -3, 0.5f), 1e-6);
        Close([1.3831974489322738], Of((g, v) => MembershipLosses.NonMember(g, v), -2, 0.5f, 3), 1e-6);
        Close([1.0], Of((g, v) => MembershipLosses.Hinge(g, v, g.Scalar(0.25f)), -2, 0.5f, 3), 1e-6);
        Close([-0.5, 3.5], Of((g, v) =>
            MembershipLosses.Scores(g, g.Reshape(v, 2, 4), Vector(g, 1, 2, 0, -1), g.Scalar(0.5f)), 1, 0, 5, 2, 0, 1, 9, -1), 1e-6);

        static float[] Of(Func<GraphBuilder, Value, Value> loss, params float[] values)
        {
            var g = new GraphBuilder(17);
            return Evaluation.Once(g, new Dictionary<string, Tensor>(), loss(g, Vector(g, values)))[0].Floats;
        }

        static Value Vector(GraphBuilder g, params float[] values) => g.Constant(Tensors.Of(values, values.Length));
    }

    static readonly Dictionary<string, (Func<GraphBuilder, Value, Value, Value> Graph, Func<double[], int, double> Sample)> Cases = new()
    {
        ["cross-entropy"] = ((g, z, y) => ClassificationLosses.CrossEntropy(g, z, y, Classes), (z, i) => -LogSoftmax(z)[Labels[i]]),
        ["soft targets"] = ((g, z, _) => ClassificationLosses.SoftTargetCrossEntropy(g, z, Rows(g, "targets")), (z, i) =>
            -Dot(Targets[i], LogSoftmax(z))),
        ["centred distance"] = ((g, z, _) => g.MeanAll(ClassificationLosses.CentredLogitDistance(g, z, Rows(g, "targets"))), (z, i) =>
        {
            double[] difference = [.. z.Zip(Targets[i], (a, b) => a - b)];
            return difference.Average(d => Math.Pow(d - difference.Average(), 2));
        }
        ),
        ["confidence"] = (
            (g, z, y) => g.MeanAll(ClassificationLosses.Confidence(g, z, ClassificationLosses.LabelMask(g, y, Classes))),
            (z, i) => z[Labels[i]] - LogSumExp(Without(z, i))),
        ["Huber of confidence"] = (
            (g, z, y) => g.MeanAll(ClassificationLosses.Huber(g,
                ClassificationLosses.Confidence(g, z, ClassificationLosses.LabelMask(g, y, Classes)), g.Scalar(0.5f), 2)),
            (z, i) => Math.Abs(z[Labels[i]] - LogSumExp(Without(z, i)) - 0.5) is var d && d <= 2 ? d * d / 4 : d - 1),
        ["other classes"] = (
            (g, z, y) => g.MeanAll(ClassificationLosses.OtherClassesCrossEntropy(g, z, Rows(g, "others"),
                ClassificationLosses.LabelMask(g, y, Classes))),
            (z, i) => -Dot(Others[i], [.. z.Select(v => v - LogSumExp(Without(z, i)))])),
        ["non-member"] = ((g, z, y) => MembershipLosses.NonMember(g, Score(g, z, y)), (z, i) => Math.Log(1 + Math.Exp(Score(z, i)))),
        ["hinge"] = ((g, z, y) => MembershipLosses.Hinge(g, Score(g, z, y), g.Scalar(0.3f)), (z, i) => Math.Max(0, Score(z, i) - 0.3f)),
    };

    public static TheoryData<string> Names => new(Cases.Keys);

    [Theory, MemberData(nameof(Names))]
    public void Value_and_derivatives_agree_with_the_formula(string name)
    {
        var g = new GraphBuilder(17);
        Value z = g.Input("z", TensorType.Float("N", Classes)), y = g.Input("y", TensorType.Int64("N")), v =
            g.Input("v", TensorType.Float("N", Classes));
        var loss = Cases[name].Graph(g, z, y);
        var differentiator = new Differentiator(g);
        var gradient = differentiator.Gradients(loss, [z])[0];
        var product = differentiator.Gradients(g.SumAll(g.Mul(gradient, v)), [z])[0];
        var results = Evaluation.Once(g, Feeds(g, Logits.Length), loss, gradient, product);

        var sample = Cases[name].Sample;
        var expected = Logits.Select((l, i) => sample([.. l.Select(x => (double)x)], i)).Average();
        Assert.Equal(expected, results[0].Floats[0], 1e-6 * Math.Max(1, Math.Abs(expected)));
        for (var i = 0; i < Logits.Length; i++)
            for (var c = 0; c < Classes; c++)
            {
                Near(First(i, c, 0), results[1].Floats[i * Classes + c]);
                Near((First(i, c, 1e-3) - First(i, c, -1e-3)) / 2e-3, results[2].Floats[i * Classes + c]);
            }

        void Near(double derivative, float actual) => Assert.Equal(derivative, actual, 2e-6 * Math.Max(1, Math.Abs(derivative)));

        // The derivative by one logit, after a step along the direction.
        double First(int i, int c, double step)
        {
            const double h = 1e-3;
            double At(double by) => sample([.. Logits[i].Select((x, k) => x + step * Directions[i][k] + (k == c ? by : 0))], i);
            return (At(-2 * h) - 8 * At(-h) + 8 * At(h) - At(2 * h)) / (12 * h) / Logits.Length;
        }
    }

    static float[] Value(Func<GraphBuilder, Value, Value, Value> build, int samples = 5)
    {
        var g = new GraphBuilder(17);
        var result = build(g, g.Input("z", TensorType.Float("N", Classes)), g.Input("y", TensorType.Int64("N")));
        return Evaluation.Once(g, Feeds(g, samples), result)[0].Floats;
    }

    static Dictionary<string, Tensor> Feeds(GraphBuilder g, int samples)
    {
        var all = new Dictionary<string, float[][]> { ["z"] = Logits, ["targets"] = Targets, ["others"] = Others, ["v"] = Directions };
        var feeds = all.Where(f => g.Inputs.ContainsKey(f.Key))
            .ToDictionary(f => f.Key, f => Tensor.Matrix(Classes, [.. f.Value.Take(samples).SelectMany(r => r)]));
        feeds["y"] = Tensor.Labels(Labels[..samples]);
        return feeds;
    }

    static Value Rows(GraphBuilder g, string name) => g.Input(name, TensorType.Float("N", Classes));

    static Value Score(GraphBuilder g, Value z, Value y) =>
        MembershipLosses.Scores(g, MembershipLosses.Features(g, z, y, Classes),
            g.Constant(Tensors.Of([.. Weights.Select(w => (float)w)], 4)), g.Scalar(0.1f));

    static double Score(double[] z, int i)
    {
        var log = LogSoftmax(z);
        var others = log.Where((_, c) => c != Labels[i]).Sum(Math.Exp);
        double[] features = [log[Labels[i]], log[Labels[i]] - Math.Log(others + 1e-6), -log.Sum(l => Math.Exp(l) * l), log.Max()];
        return features.Zip(Weights, (f, w) => f * (float)w).Sum() + 0.1f;
    }

    static double[] Without(double[] z, int i) => [.. z.Where((_, c) => c != Labels[i])];

    static double LogSumExp(double[] z) => z.Max() + Math.Log(z.Sum(v => Math.Exp(v - z.Max())));

    static double[] LogSoftmax(double[] z) => [.. z.Select(v => v - LogSumExp(z))];

    static double Dot(float[] a, double[] b) => a.Zip(b, (x, y) => x * y).Sum();

    static void Close(double[] expected, float[] actual, double relative)
    {
        Assert.Equal(expected.Length, actual.Length);
        for (var i = 0; i < expected.Length; i++)
            Assert.Equal(expected[i], actual[i], Math.Max(1e-7, relative * Math.Abs(expected[i])));
    }
}
