using RegistryUnlearn.Onnx.Gradients;
using RegistryUnlearn.Onnx.Graphs;
using RegistryUnlearn.Onnx.Tests.Graphs;

namespace RegistryUnlearn.Onnx.Tests.Gradients;

/// <summary>Cases small enough to check by eye. The scalar is the sum of the output's elements times <c>weights</c>.</summary>
public sealed class LiteralGradientTests
{
    static readonly float[] Ones = [1, 1, 1, 1];

    [Fact]
    public void Gemm_multiplies_by_the_other_matrix_transposed()
    {
        // dA = R·Bᵀ, dB = Aᵀ·R, dC = column sums of R
        var (da, db, dc) = (Floats(5, 7, 12, 16), Floats(1, 6, 2, 8), Floats(1, 2));
        var gradients = Gradients((g, x) => g.Add("Gemm", x), Floats(1, 0, 0, 2),
            Tensor.Matrix(2, 1, 2, 3, 4), Tensor.Matrix(2, 5, 6, 7, 8), Tensor.Of(0, 0));
        Assert.Equal([da, db, dc], gradients);
    }

    [Fact]
    public void Convolution_of_one_window_exchanges_image_and_kernel()
    {
        float[] image = [1, 2, 3, 4, 5, 6, 7, 8, 9], kernel = [-1, 0, 1, -2, 0, 2, -3, 0, 3];
        var gradients = Gradients((g, x) => g.Add("Conv", x), [1], new(image, 1, 1, 3, 3), new(kernel, 1, 1, 3, 3));
        Assert.Equal([kernel, image], gradients);
    }

    [Fact]
    public void Convolution_corner_reaches_four_pixels()
    {
        float[] image = [1, 2, 3, 4, 5, 6, 7, 8, 9], kernel = [10, 11, 12, 13, 14, 15, 16, 17, 18];
        var gradients = Gradients((g, x) => g.Add("Conv", x, Attributes.Of("pads", [1L, 1, 1, 1])), Floats(1, 0, 0, 0, 0, 0, 0, 0, 0),
            new(image, 1, 1, 3, 3), new(kernel, 1, 1, 3, 3));
        Assert.Equal(Floats(14, 15, 0, 17, 18, 0, 0, 0, 0), gradients[0]);
        Assert.Equal(Floats(0, 0, 0, 0, 1, 2, 0, 4, 5), gradients[1]);
    }

    [Theory]
    [InlineData("2,2,2", 1, "1,1,0")] // windows overlap, each takes its first maximum
    [InlineData("1,3,3", 1, "0,2,0")]
    [InlineData("3,3,0,7", 2, "1,0,0,1")] // windows apart
    [InlineData("0,0,0,0", 2, "1,0,1,0")]
    public void MaxPool_gives_ties_to_the_first_of_the_window(string row, long stride, string expected)
    {
        var x = Parse(row);
        var weights = new float[(x.Length - 2) / stride + 1];
        Array.Fill(weights, 1);
        var gradients = Gradients((g, v) =>
            g.Add("MaxPool", v, Attributes.Of("kernel_shape", [2L]), Attributes.Of("strides", [stride])), weights,
            new Tensor(x, 1, 1, x.Length));
        Assert.Equal(Parse(expected), gradients[0]);
    }

    [Theory]
    [InlineData(2)] // compared with the upsampled maxima
    [InlineData(5000)] // too large for that: indices
    public void MaxPool_of_tiles_gives_ties_to_the_first_in_row_major_order(int channels)
    {
        var random = new Random(7);
        float[] x = [.. Enumerable.Range(0, 40 * channels * 4).Select(_ => (float)random.Next(3))], expected = new float[x.Length];
        for (var tile = 0; tile < x.Length; tile += 4)
            expected[tile + x.AsSpan(tile, 4).IndexOf(x[tile..(tile + 4)].Max())] = 1;
        var weights = new float[x.Length / 4];
        Array.Fill(weights, 1);
        var gradients = Gradients((g, v) =>
            g.Add("MaxPool", v, Attributes.Of("kernel_shape", [2L, 2]), Attributes.Of("strides", [2L, 2])), weights,
            new Tensor(x, 40, channels, 2, 2));
        Assert.Equal(expected, gradients[0]);
    }

    [Theory]
    [InlineData("", "0.5,0.8333333,0.3333333,0.3333333")] // windows of two and of three elements
    [InlineData("count_include_pad", "0.3333333,0.6666667,0.3333333,0.3333333")]
    public void AveragePool_divides_by_the_elements_of_the_window(string flag, string expected)
    {
        var gradients = Gradients((g, x) => g.Add("AveragePool", x, [Attributes.Of("kernel_shape", [3L]), Attributes.Of("strides", [2L]),
            Attributes.Of("pads", [1L, 0]), .. flag.Length > 0 ? [Attributes.Of(flag, 1)] : Array.Empty<Proto.AttributeProto>()]), [1, 1],
            new Tensor(Floats(1, 2, 3, 4), 1, 1, 4));
        Assert.Equal(Parse(expected), gradients[0], new Near());
    }

    [Theory]
    [InlineData("linear", "half_pixel", "3.5,11.5")] // positions 0, 1/4, 3/4, 1
    [InlineData("linear", "align_corners", "3.6666667,11.333333")] // positions 0, 1/3, 2/3, 1
    [InlineData("nearest", "asymmetric", "3,12")]
    public void Resize_gives_each_element_the_weights_it_had(string mode, string coordinates, string expected)
    {
        var gradients = Gradients((g, x) => g.Add("Resize", [x[0], default, g.Constant(Tensors.Of([1f, 1, 2], 3))],
            Attributes.Of("mode", mode), Attributes.Of("coordinate_transformation_mode", coordinates),
            Attributes.Of("nearest_mode", "floor")),
            Floats(1, 2, 4, 8), new Tensor(Floats(5, 7), 1, 1, 2));
        Assert.Equal(Parse(expected), gradients[0], new Near());
    }

    sealed class Near : IEqualityComparer<float>
    {
        public bool Equals(float x, float y) => Math.Abs(x - y) < 1e-5f;

        public int GetHashCode(float x) => 0;
    }

    [Fact]
    public void ReduceMax_shares_ties() =>
        Assert.Equal(Floats(0.5f, 0, 0.5f), Gradients((g, x) => g.ReduceMax(x[0], [0], keep: false), [1], Tensor.Of(3, 1, 3))[0]);

    [Fact]
    public void Max_of_tensors_shares_ties() =>
        Assert.Equal([Floats(0.5f, 0), Floats(0.5f, 2)],
            Gradients((g, x) => g.Add("Max", x), Floats(1, 2), Tensor.Of(3, 1), Tensor.Of(3, 4)));

    [Fact]
    public void Product_has_both_derivatives_where_a_factor_is_zero()
    {
        var g = new GraphBuilder(18);
        var x = g.Input("x", TensorType.Float(3));
        var differentiator = new Differentiator(g);
        var once = differentiator.Gradients(g.Add("ReduceProd", [x], Attributes.Of("keepdims", 0L)), [x])[0];
        // ∂²(xyz)/∂y∂(x, y, z) = (z, 0, x)
        var twice = differentiator.Gradients(g.SumAll(g.Slice(once, [1], [2], [0], [1])), [x])[0];
        var results = Evaluation.Once(g, new Dictionary<string, Tensor> { ["x"] = Tensor.Of(0, 2, 5) }, once, twice);
        Assert.Equal(Floats(10, 0, 0), results[0].Floats);
        Assert.Equal(Floats(5, 0, 0), results[1].Floats);
    }

    [Fact]
    public void Norm_of_zeros_has_no_gradient() =>
        Assert.Equal(Floats(0, 0), Gradients((g, x) => g.ReduceL2(x[0], [0], keep: false), [1], Tensor.Of(0, 0))[0]);

    [Fact]
    public void Softmax_of_a_quarter_and_three_quarters()
    {
        // p₀(1 − p₀) and −p₀p₁
        var gradient = Gradients((g, x) => g.Softmax(x[0], 0), Floats(1, 0), Tensor.Of(0, MathF.Log(3)))[0];
        Assert.Equal(0.1875f, gradient[0], 1e-6f);
        Assert.Equal(-0.1875f, gradient[1], 1e-6f);
    }

    [Fact]
    public void Broadcast_addition_sums_over_the_rows() =>
        Assert.Equal([Floats(1, 2, 3, 4, 5, 6), Floats(5, 7, 9)],
            Gradients((g, x) => g.Add(x[0], x[1]), Floats(1, 2, 3, 4, 5, 6), Tensor.Matrix(3, 0, 0, 0, 0, 0, 0), Tensor.Of(10, 20, 30)));

    [Fact]
    public void Index_used_twice_receives_both() =>
        Assert.Equal(Floats(0, 5, 2, 0),
            Gradients((g, x) => g.Gather(x[0], g.Ints(1, 2, 1), 0), Floats(1, 2, 4), Tensor.Of(7, 7, 7, 7))[0]);

    [Fact]
    public void Value_used_twice_receives_both() =>
        Assert.Equal(Floats(3, 7, -1, 1), Gradients((g, x) => g.Add(g.Mul(x[0], x[0]), x[0]), Ones, Tensor.Of(1, 3, -1, 0))[0]);

    [Fact]
    public void Unused_parameters_get_zeros_of_their_shape()
    {
        var gradients = Gradients((g, x) => g.Exp(x[0]), [1], Tensor.Of(0), Tensor.Matrix(2, 1, 2, 3, 4), Tensor.Scalar(5));
        Assert.Equal([Floats(1), Floats(0, 0, 0, 0), Floats(0)], gradients);
    }

    [Fact]
    public void Integers_stop_the_gradient() =>
        Assert.Equal(Floats(0, 0),
            Gradients((g, x) => g.Cast(g.Cast(x[0], Proto.TensorProto.Types.DataType.Int64)), Floats(1, 1), Tensor.Of(1.5f, 2.5f))[0]);

    [Fact]
    public void Half_precision_casts_pass_the_gradient() =>
        Assert.Equal(Floats(1, 2),
            Gradients((g, x) => g.Cast(g.Cast(x[0], Proto.TensorProto.Types.DataType.Float16)), Floats(1, 2), Tensor.Of(1.5f, 2.5f))[0]);

    [Theory]
    [InlineData(0, "0,0", "0,0")]
    [InlineData(1, "1,1", "0,0")]
    [InlineData(2, "0,-4", "2,2")]
    [InlineData(3, "0,12", "0,-12")]
    public void Integer_powers_have_both_derivatives_at_zero_and_below(float exponent, string first, string second)
    {
        var g = new GraphBuilder(17);
        var x = g.Input("x", TensorType.Float(2));
        var differentiator = new Differentiator(g);
        var once = differentiator.Gradients(g.SumAll(g.Pow(x, g.Scalar(exponent))), [x])[0];
        var twice = differentiator.Gradients(g.SumAll(once), [x])[0];
        var results = Evaluation.Once(g, new Dictionary<string, Tensor> { ["x"] = Tensor.Of(0, -2) }, once, twice);
        Assert.Equal(Parse(first), results[0].Floats);
        Assert.Equal(Parse(second), results[1].Floats);
    }

    /// <summary>d/dp x^p = x^p · log x, which is 0 at x = 0.</summary>
    [Fact]
    public void Learned_exponent_has_a_gradient_at_zero() =>
        Assert.Equal(8 * MathF.Log(2), Gradients((g, x) => g.Pow(x[0], x[1]), Floats(1, 1), Tensor.Of(0, 2), Tensor.Of(3))[1][0], 1e-5f);

    static float[] Floats(params float[] values) => values;

    static float[] Parse(string list) =>
        [.. list.Split(',').Select(t => float.Parse(t, System.Globalization.CultureInfo.InvariantCulture))];

    static float[][] Gradients(Func<GraphBuilder, Value[], Value> build, float[] weights, params Tensor[] inputs)
    {
        var g = new GraphBuilder(17);
        Value[] xs = [.. inputs.Select((t, i) => g.Input($"x{i}", TensorType.Float([.. t.Shape.Select(d => (Dim)d)])))];
        var y = build(g, xs);
        var scalar = g.SumAll(g.Mul(g.Reshape(y, -1), g.Constant(Tensors.Of(weights, weights.Length))));
        var gradients = new Differentiator(g).Gradients(scalar, xs);
        return [.. Evaluation.Once(g, inputs.Select((t, i) => (t, i)).ToDictionary(p => $"x{p.i}", p => p.t), gradients)
            .Select(t => t.Floats)];
    }
}
