using RegistryUnlearn.Training.Algebra;
using RegistryUnlearn.Training.Buffers;
using RegistryUnlearn.Training.Harmonization;
using RegistryUnlearn.Training.Runtime;
using RegistryUnlearn.Training.Tests.Buffers;
using RegistryUnlearn.Training.Tests.Devices;
using static RegistryUnlearn.Training.Harmonization.HarmonizationMode;
using static RegistryUnlearn.Training.Harmonization.HarmonizationScope;

namespace RegistryUnlearn.Training.Tests.Harmonization;

public sealed class HarmonizerTests
{
    /// <summary>
    /// G_r, G_f (one array per tensor), scope, mode, w_f; the update direction, cosine, fired share and kept norm by hand.
    /// </summary>
    public static TheoryData<float[][], float[][], HarmonizationScope, HarmonizationMode, float, float[], double, double, double> Cases
        => new()
    {
        // ⟨r,f⟩ = −1, |r|² = 1, |f|² = 2: r' = r + f/2, f' = f + r
        { [[1, 0]], [[-1, 1]], Global, Symmetric, 1, [0.5f, 1.5f], -Half, 1, Half },
        { [[1, 0]], [[-1, 1]], Tensor, Symmetric, 2, [0.5f, 2.5f], -Half, 1, Half },
        { [[1, 0]], [[-1, 1]], Global, ProtectRemember, 2, [1, 2], -Half, 1, Half },
        { [[1, 0]], [[-1, 1]], Tensor, ProtectRemember, 2, [1, 2], -Half, 1, Half },
        { [[1, 0]], [[-1, 1]], Global, Off, 2, [-1, 2], -Half, 0, 1 },
        { [[1, 0]], [[-1, 1]], Tensor, Off, 2, [-1, 2], -Half, 0, 1 },
        { [[1, 0]], [[-1, 1]], Global, Symmetric, 0, [0.5f, 0.5f], -Half, 1, Half },

        // The first tensor conflicts, the second agrees, all together agree: ⟨r,f⟩ = 2, |r|² = 3, |f|² = 7.
        { [[1, 0], [1, 1]], [[-1, 1], [1, 2]], Tensor, Symmetric, 2, [0.5f, 2.5f, 3, 5], 2 / Math.Sqrt(21), 0.5, Math.Sqrt(6 / 7d) },
        { [[1, 0], [1, 1]], [[-1, 1], [1, 2]], Global, Symmetric, 2, [-1, 2, 3, 5], 2 / Math.Sqrt(21), 0, 1 },

        // Both against the originals: r' = r + f = (1, 1, 0) is orthogonal to f, yet f' = f + 3/5 · r.
        { [[2, 0], [1]], [[-1, 1], [-1]], Global, Symmetric, 1, [1.2f, 2, -0.4f], -3 / Math.Sqrt(15), 1, Math.Sqrt(0.4) },
        { [[2, 0], [1]], [[-1, 1], [-1]], Global, ProtectRemember, 1, [2.2f, 1, 0.6f], -3 / Math.Sqrt(15), 1, Math.Sqrt(0.4) },

        // Opposite directions leave nothing of either.
        { [[3, 4]], [[-6, -8]], Global, Symmetric, 1, [0, 0], -1, 1, 0 },

        // A zero norm projects nothing; orthogonal gradients do not conflict.
        { [[0, 0]], [[1, 2]], Global, Symmetric, 3, [3, 6], 0, 0, 1 },
        { [[1, 2]], [[0, 0]], Tensor, Symmetric, 3, [1, 2], 0, 0, 1 },
        { [[0, 0]], [[0, 0]], Global, ProtectRemember, 3, [0, 0], 0, 0, 1 },
        { [[1, 0]], [[0, 1]], Global, Symmetric, 3, [1, 3], 0, 0, 1 },
        { [[0], [1]], [[1], [-1]], Tensor, Symmetric, 1, [1, 0], -Half, 0.5, Half },
    };

    const double Half = 0.70710678118654752;

    /// <summary>Every row on every device.</summary>
    public static IEnumerable<TheoryDataRow> CasesOnDevices =>
        from device in TestDevice.Names from row in Cases select new TheoryDataRow([device.Data, .. ((ITheoryDataRow)row).GetData()]);

    [Theory, MemberData(nameof(CasesOnDevices))]
    public void Matches_hand_computed_vectors(
        string device, float[][] remember, float[][] forget, HarmonizationScope scope, HarmonizationMode mode, float weight,
        float[] direction, double cosine, double fired, double kept)
    {
        var on = TestDevice.Of(device);
        using TensorBlock r = Blocks.On(on, remember), f = Blocks.On(on, forget);
        using var algebra = BlockAlgebra.On(on, r.Layout);
        var result = algebra.Harmonize(r, f, scope, mode, weight);
        Blocks.Near(direction, r.Values(), 1e-6);
        Assert.Equal(forget.SelectMany(t => t), f.Values());
        Assert.Equal(cosine, result.Cosine, 1e-6);
        Assert.Equal(fired, result.Fired);
        Assert.Equal(kept, result.KeptForgetNorm, 1e-6);
    }

    /// <summary>The same rows on the exported graph, tensor by tensor.</summary>
    [Theory, MemberData(nameof(Cases))]
    public void Matches_hand_computed_vectors_as_a_graph(
        float[][] remember, float[][] forget, HarmonizationScope scope, HarmonizationMode mode, float weight,
        float[] direction, double cosine, double fired, double kept)
    {
        using TensorBlock r = Blocks.Of(remember), f = Blocks.Of(forget), d = r.Clone();
        using var graph = new GraphSession(HarmonizerGraph.Build(r.Layout, scope, mode));
        using var step = new BoundStep(graph, _ => throw new InvalidOperationException("every size is fixed"),
            [r.As(HarmonizerGraph.Remember), f.As(HarmonizerGraph.Forget), d.As(HarmonizerGraph.Direction)]);
        step[HarmonizerGraph.ForgetWeight].Floats[0] = weight;
        step.Run();
        Blocks.Near(direction, d.Values(), 1e-6);
        Assert.Equal(cosine, step.Scalar(HarmonizerGraph.Cosine), 1e-6);
        Assert.Equal(fired, step.Scalar(HarmonizerGraph.Fired), 1e-6);
        Assert.Equal(kept, step.Scalar(HarmonizerGraph.KeptForgetNorm), 1e-6);
    }

    [Theory]
    [InlineData(Global)]
    [InlineData(Tensor)]
    public void Products_are_summed_in_float64(HarmonizationScope scope)
    {
        // 2³⁶ − 2048 · 3 − 2³⁶: a running sum in float32, whose spacing there is 2¹³, loses the middle and sees no conflict.
        const int block = 2048;
        const float large = 1 << 18;
        var r = new float[5 * block];
        var f = new float[5 * block];
        (r[0], f[0], r[^1], f[^1]) = (large, large, -large, large);
        r.AsSpan(block, 3 * block).Fill(-1);
        f.AsSpan(block, 3 * block).Fill(1);
        using TensorBlock remember = Blocks.Of([r]), forget = Blocks.Of([f]);
        var result = Harmonizer.Combine(remember, forget, scope, Symmetric, 1);
        var square = 2 * Math.Pow(2, 36) + 3 * block;
        Assert.Equal(-3 * block / square, result.Cosine, 1e-15);
        Assert.Equal(1, result.Fired);
    }

    [Theory]
    [InlineData("cpu", Global, Symmetric, 1)]
    [InlineData("cpu", Global, ProtectRemember, 0.25)]
    [InlineData("cpu", Tensor, Symmetric, 4)]
    [InlineData("cpu", Tensor, ProtectRemember, 1)]
    [InlineData("cpu", Tensor, Off, 1)]
    [InlineData("test", Global, Symmetric, 1)]
    [InlineData("test", Global, ProtectRemember, 0.25)]
    [InlineData("test", Tensor, Symmetric, 4)]
    [InlineData("test", Tensor, ProtectRemember, 1)]
    [InlineData("test", Tensor, Off, 1)]
    public void Long_tensors_match_a_plain_float64_computation(
        string device, HarmonizationScope scope, HarmonizationMode mode, float weight)
    {
        var on = TestDevice.Of(device);
        var random = new Random(7);
        int[] counts = [1, 5000, 2048, 2049, 15, 7777];
        float[][] remember = [.. counts.Select(n => Draw(n))];
        float[][] forget = [.. counts.Select((n, i) => Draw(n, -0.3f + i * 0.15f, remember[i]))];
        using TensorBlock r = Blocks.On(on, remember), f = Blocks.On(on, forget);
        using var algebra = BlockAlgebra.On(on, r.Layout);
        var result = algebra.Harmonize(r, f, scope, mode, weight);
        var (direction, cosine, fired, kept) = Reference(remember, forget, scope, mode, weight);
        Blocks.Near(direction, r.Values(), 2e-6 * (1 + weight));
        Assert.Equal(cosine, result.Cosine, 1e-6);
        Assert.Equal(fired, result.Fired);
        Assert.Equal(kept, result.KeptForgetNorm, 1e-6);

        float[] Draw(int n, float along = 0, float[]? other = null) =>
            [.. Enumerable.Range(0, n).Select(i => random.NextSingle() - 0.5f + along * (other?[i] ?? 0))];
    }

    [Theory, MemberData(nameof(TestDevice.Names), MemberType = typeof(TestDevice))]
    public void A_gradient_that_is_not_a_number_shows_in_the_cosine(string device)
    {
        var on = TestDevice.Of(device);
        using TensorBlock r = Blocks.On(on, [1, float.NaN]), f = Blocks.On(on, [-1, 1]);
        using var algebra = BlockAlgebra.On(on, r.Layout);
        var result = algebra.Harmonize(r, f, Global, Symmetric, 1);
        Assert.True(double.IsNaN(result.Cosine));
        Assert.Equal(0, result.Fired);
        Assert.True(double.IsNaN(algebra.SquareSum(r)));
    }

    static (float[] Direction, double Cosine, double Fired, double Kept) Reference(
        float[][] remember, float[][] forget, HarmonizationScope scope, HarmonizationMode mode, float weight)
    {
        float[][] Merge(float[][] tensors) => scope is Global ? [[.. tensors.SelectMany(t => t)]] : tensors;
        var scopes = Merge(remember).Zip(Merge(forget)).ToList();
        var direction = new List<float>();
        double keptSquare = 0, fired = 0;
        foreach (var (r, f) in scopes)
        {
            var rf = Dot(r, f);
            double intoF = mode is Off || rf >= 0 ? 0 : -rf / Dot(r, r), intoR = mode is Symmetric && rf < 0 ? -rf / Dot(f, f) : 0;
            double[] projected = [.. f.Zip(r, (y, x) => y + intoF * x)];
            direction.AddRange(r.Select((x, i) => (float)(x + intoR * f[i] + weight * projected[i])));
            keptSquare += projected.Sum(x => x * x);
            fired += intoF != 0 ? 1 : 0;
        }
        double rr = remember.Sum(t => Dot(t, t)), ff = forget.Sum(t => Dot(t, t));
        return ([.. direction], remember.Zip(forget, Dot).Sum() / Math.Sqrt(rr * ff), fired / scopes.Count, Math.Sqrt(keptSquare / ff));
    }

    static double Dot(float[] a, float[] b) => a.Zip(b, (x, y) => (double)x * y).Sum();
}
