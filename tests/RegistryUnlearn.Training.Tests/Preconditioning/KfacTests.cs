using MathNet.Numerics.LinearAlgebra;
using RegistryUnlearn.Onnx.Graphs;
using RegistryUnlearn.Training.Buffers;
using RegistryUnlearn.Training.Preconditioning;
using RegistryUnlearn.Training.Tests.Buffers;
using RegistryUnlearn.Training.Tests.Runtime;

namespace RegistryUnlearn.Training.Tests.Preconditioning;

/// <summary>
/// On a linear layer the gradients at the outputs are the probe itself, so both factors can be written down, and the inverse of the
/// damped curvature G ⊗ A + λ·I can be computed densely.
/// </summary>
public sealed class KfacTests
{
    const int Samples = 64;
    const double Damping = 0.3;

    [Theory]
    [InlineData(true, true)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    public void A_gemm_layer_equals_the_dense_damped_inverse(bool withBias, bool outputMajor)
    {
        const int inputs = 5, outputs = 3;
        var model = SmallModel.Of([inputs], (m, g, x) =>
        {
            var w = outputMajor ? m.Parameter("w", outputs, inputs) : m.Parameter("w", inputs, outputs);
            Value[] operands = withBias ? [x, w, m.Parameter("b", outputs)] : [x, w];
            return g.Add("Gemm", operands, Attributes.Of("transB", outputMajor ? 1 : 0L));
        });
        using var kfac = Measure(model, inputs, outputs, out var x, out var u);
        var a = Moment(Samples, i => [.. x.AsSpan(i * inputs, inputs), .. withBias ? [1f] : Array.Empty<float>()]) / Samples;
        var g = Moment(Samples, i => u[(i * outputs)..((i + 1) * outputs)]) / Samples;
        AssertInverse(kfac, model, a, g, withBias, transposed: !outputMajor);
    }

    [Theory]
    [InlineData(1, 1, true)]
    [InlineData(0, 1, false)]
    [InlineData(1, 2, true)]
    public void A_conv_layer_equals_the_dense_damped_inverse(int pad, int stride, bool withBias)
    {
        const int channels = 2, size = 5, filters = 3, kernel = 3;
        var outSize = (size + 2 * pad - kernel) / stride + 1;
        var positions = outSize * outSize;
        var model = SmallModel.Of([channels, size, size], (m, g, x) =>
        {
            var w = m.Parameter("w", filters, channels, kernel, kernel);
            Value[] operands = withBias ? [x, w, m.Parameter("b", filters)] : [x, w];
            var y = g.Add("Conv", operands, Attributes.Of("pads", [pad, pad, pad, pad]), Attributes.Of("strides", [stride, stride]));
            return g.Reshape(y, -1, filters * positions);
        });
        using var kfac = Measure(model, channels * size * size, filters * positions, out var x, out var u);
        var a = Moment(Samples * positions, i => Patch(i / positions, i % positions)) / Samples;
        var g = Moment(Samples * positions, i => Column(i / positions, i % positions)) / (Samples * positions);
        AssertInverse(kfac, model, a, g, withBias, transposed: false);

        float[] Column(int sample, int position) =>
            [.. Enumerable.Range(0, filters).Select(o => u[(sample * filters + o) * positions + position])];

        float[] Patch(int sample, int position) =>
        [
            .. from c in Enumerable.Range(0, channels)
               from r in Enumerable.Range(position / outSize * stride - pad, kernel)
               from s in Enumerable.Range(position % outSize * stride - pad, kernel)
               select r < 0 || s < 0 || r >= size || s >= size ? 0 : x[((sample * channels + c) * size + r) * size + s],
            .. withBias ? [1f] : Array.Empty<float>(),
        ];
    }

    [Fact]
    public void Parameters_outside_layers_are_divided_by_their_mean_curvature_and_the_damping()
    {
        // z = x·wᵀ + s with a shift s of its own: ∂ u·z/∂s = Σ over the batch of u.
        const int inputs = 4, outputs = 3;
        var model = SmallModel.Of([inputs], (m, g, x) =>
            g.Add(g.Gemm(x, m.Parameter("w", outputs, inputs), transB: true), m.Parameter("s", outputs)));
        using var kfac = Measure(model, inputs, outputs, out _, out var u);
        var shift = new double[outputs];
        for (var i = 0; i < u.Length; i++)
            shift[i % outputs] += u[i];
        var curvature = shift.Sum(s => s * s) / (Samples * outputs);
        using var direction = Blocks.Of(new float[outputs * inputs], [1, -2, 4]);
        kfac.Apply(direction);
        var scale = (float)(1 / (curvature + Damping * kfac.MeanEigenvalue));
        Blocks.Near([scale, -2 * scale, 4 * scale], direction[1], 1e-4 * scale);
    }

    [Fact]
    public void A_model_without_layers_is_scaled_as_a_whole()
    {
        var model = SmallModel.Of([3], (m, g, x) => g.Mul(x, m.Parameter("s", 3)));
        using var kfac = Measure(model, 3, 3, out var x, out var u);
        var sums = new double[3];
        for (var i = 0; i < u.Length; i++)
            sums[i % 3] += (double)u[i] * x[i];
        var curvature = sums.Sum(s => s * s) / (Samples * 3);
        Assert.Equal(curvature, kfac.MeanEigenvalue, 1e-4 * curvature);
        using var direction = Blocks.Of([1, 2, -3]);
        kfac.Apply(direction);
        var scale = (float)(1 / (curvature * (1 + Damping)));
        Blocks.Near([scale, 2 * scale, -3 * scale], direction[0], 1e-4 * scale);
    }

    [Fact]
    public void A_zero_direction_stays_zero()
    {
        var model = SmallModel.Cnn();
        using var kfac = Measure(model, 32, 4, out _, out _);
        using var direction = new TensorBlock(model.Parameters);
        kfac.Apply(direction);
        Assert.All(direction.Values(), v => Assert.Equal(0, v));
    }

    [Fact]
    public void Two_layers_give_a_positive_definite_map()
    {
        var model = SmallModel.Cnn();
        using var kfac = Measure(model, 32, 4, out _, out _);
        using var direction = SmallModel.Random(model, 9);
        var before = direction.Values();
        kfac.Apply(direction);
        Assert.True(before.Zip(direction.Values(), (a, b) => (double)a * b).Sum() > 0);
    }

    static Kfac Measure(ForwardModel model, int inputs, int outputs, out float[] x, out float[] u)
    {
        float[] xs = new float[Samples * inputs], us = new float[Samples * outputs];
        SmallModel.Fill(xs, 11);
        SmallModel.Fill(us, 12);
        (x, u) = (xs, us);
        using var parameters = SmallModel.Random(model, 13);
        return Kfac.Measure(model, outputs, parameters, Samples,
            (start, to) => xs.AsSpan(start * inputs, to.Length).CopyTo(to),
            (start, to) => us.AsSpan(start * outputs, to.Length).CopyTo(to), Damping);
    }

    /// <summary>Σ v·vᵀ in float64.</summary>
    static Matrix<double> Moment(int count, Func<int, float[]> vector) => Enumerable.Range(0, count)
        .Select(i => Vector<double>.Build.Dense([.. vector(i).Select(v => (double)v)]))
        .Select(v => v.OuterProduct(v)).Aggregate((sum, m) => sum + m);

    static void AssertInverse(Kfac kfac, ForwardModel model, Matrix<double> a, Matrix<double> g, bool withBias, bool transposed)
    {
        var mean = a.Trace() / a.RowCount * (g.Trace() / g.RowCount);
        Assert.Equal(mean, kfac.MeanEigenvalue, 1e-5 * mean);
        var columns = a.RowCount - (withBias ? 1 : 0);
        using var direction = SmallModel.Random(model, 14);
        // Rows are filters, the last column is the bias; the curvature acts on the rows one after the other.
        var matrix = Matrix<double>.Build.Dense(g.RowCount, a.RowCount, (o, i) =>
            i == columns ? direction[1][o] : direction[0][transposed ? i * g.RowCount + o : o * columns + i]);
        var curvature = g.KroneckerProduct(a) + Matrix<double>.Build.DenseIdentity(g.RowCount * a.RowCount) * (Damping * mean);
        var solved = curvature.Solve(Vector<double>.Build.Dense(matrix.ToRowMajorArray()));
        kfac.Apply(direction);
        var tolerance = 1e-4 * solved.L2Norm();
        for (var o = 0; o < g.RowCount; o++)
            for (var i = 0; i < a.RowCount; i++)
                Assert.Equal(solved[o * a.RowCount + i],
                    i == columns ? direction[1][o] : direction[0][transposed ? i * g.RowCount + o : o * columns + i], tolerance);
    }
}
