using RegistryUnlearn.Onnx.Graphs;
using RegistryUnlearn.Onnx.Models;

namespace RegistryUnlearn.Onnx.Gradients.Rules;

/// <summary>
/// Resize is linear and separable: a constant matrix per axis, whose rows hold the weights of the input elements (ONNX operator
/// specification, "Resize"). Repetition by a whole number needs no matrix.
/// </summary>
static class Resampling
{
    public static IReadOnlyList<Rule> Rules { get; } = [Rule.Fused("Resize", 13, Resize)];

    static Value Resize(RuleContext r)
    {
        var mode = r.Node.Text("mode", "nearest");
        var coordinates = r.Node.Text("coordinate_transformation_mode", "half_pixel");
        if (r.Int("antialias", 0) == 1 || coordinates is "tf_crop_and_resize"
            || r.Node.Text("keep_aspect_ratio_policy", "stretch") is not "stretch")
            throw new OnnxModelException($"Resize (node '{r.Node.Name}') with antialias, tf_crop_and_resize or "
                + "keep_aspect_ratio_policy has no gradient rule; export it without");
        var rank = r.InType(0).Rank;
        var scales = r.HasIn(2) ? r.ConstantFloats(2) : [];
        int[] axes = r.Ints("axes") is { } some ? [.. some.Select(r.InType(0).Axis)] : [.. Enumerable.Range(0, rank)];
        var y = r.In(0);
        var shape = r.InType(0).Sizes;
        for (var i = 0; i < axes.Length; i++)
        {
            var axis = axes[i];
            if (scales.Length > 0 ? scales[i] == 1 : r.InType(0).Shape[axis] == r.OutType().Shape[axis])
                continue;
            int size = AxisMaps.FixedSize(r, axis), wanted = (int)r.OutType().Shape[axis].Size;
            var scale = scales.Length > 0 ? scales[i] : (float)wanted / size;
            var positions = Enumerable.Range(0, wanted).Select(o => Coordinate(coordinates, o, scale, size, wanted));
            if (mode is "nearest")
            {
                var nearest = r.Node.Text("nearest_mode", "round_prefer_floor");
                int[] from = [.. positions.Select(p => Math.Clamp(Nearest(nearest, p), 0, size - 1))];
                var times = wanted / size;
                var repeats = wanted % size == 0 && from.Select((f, o) => f == o / times).All(same => same);
                y = repeats && shape.Skip(axis + 1).Count(d => d < 0) <= 1 ? Repeat(r.G, y, shape, axis, times)
                    : AxisMaps.Apply(r.G, y, rank, axis, AxisMaps.Selection(from, size, transposed: false));
            }
            else
                y = AxisMaps.Apply(r.G, y, rank, axis, Weights(r, mode, [.. positions], size));
            shape[axis] = wanted;
        }
        return y;
    }

    static Value Repeat(GraphBuilder g, Value x, long[] shape, int axis, int times)
    {
        var repeats = Enumerable.Repeat(1L, shape.Length + 1).ToArray();
        repeats[axis + 1] = times;
        return g.Reshape(
            g.Expand(g.Unsqueeze(x, axis + 1), g.Ints(repeats)), [.. new long[axis], shape[axis] * times, .. shape[(axis + 1)..]]);
    }

    /// <summary>Where an output element lies in the input, in single precision as ONNX Runtime computes it.</summary>
    static float Coordinate(string mode, int at, float scale, int size, int wanted) => mode switch
    {
        "asymmetric" => at / scale,
        "align_corners" => wanted == 1 ? 0 : (float)at * (size - 1) / (wanted - 1),
        "pytorch_half_pixel" => wanted == 1 ? 0 : (at + 0.5f) / scale - 0.5f,
        "tf_half_pixel_for_nn" => (at + 0.5f) / scale,
        "half_pixel_symmetric" => size / 2f * (1 - wanted / (scale * size)) + (at + 0.5f) / scale - 0.5f,
        _ => (at + 0.5f) / scale - 0.5f,
    };

    static int Nearest(string mode, float at) => (int)(mode switch
    {
        "round_prefer_ceil" => MathF.Floor(at + 0.5f),
        "floor" => MathF.Floor(at),
        "ceil" => MathF.Ceiling(at),
        _ => MathF.Ceiling(at - 0.5f),
    });

    static float[,] Weights(RuleContext r, string mode, float[] positions, int size)
    {
        var matrix = new float[positions.Length, size];
        for (var o = 0; o < positions.Length; o++)
        {
            var first = (int)MathF.Floor(positions[o]);
            var t = positions[o] - first;
            (int At, float Weight)[] taps = mode is "linear" ? [(first, 1 - t), (first + 1, t)]
                : [.. Enumerable.Range(-1, 4).Select(k => (first + k, Cubic(Math.Abs(t - k), r.Float("cubic_coeff_a", -0.75f))))];
            if (mode is "cubic" && r.Int("exclude_outside", 0) == 1)
            {
                taps = [.. taps.Where(tap => tap.At >= 0 && tap.At < size)];
                var sum = taps.Sum(tap => tap.Weight);
                taps = [.. taps.Select(tap => (tap.At, tap.Weight / sum))];
            }
            foreach (var (at, weight) in taps)
                matrix[o, Math.Clamp(at, 0, size - 1)] += weight;
        }
        return matrix;
    }

    /// <summary>Cubic convolution (Keys, IEEE Transactions on Acoustics, Speech, and Signal Processing, 1981) at distance d.</summary>
    static float Cubic(float d, float a) =>
        d <= 1 ? ((a + 2) * d - (a + 3)) * d * d + 1 : d < 2 ? ((a * d - 5 * a) * d + 8 * a) * d - 4 * a : 0;
}
