using RegistryUnlearn.Onnx.Graphs;

namespace RegistryUnlearn.Onnx.Tests.Gradients.Rows;

public sealed class PoolingRows
{
    const float Small = 1 / 128f;

    internal static readonly RowSet Rows = new(
    [
        .. from window in new[]
            {
                "kernel_shape=[2,2] strides=[2,2]", "kernel_shape=[3,3] strides=[2,2]", "kernel_shape=[3,2]",
                "kernel_shape=[3,3] strides=[2,1] pads=[1,1,1,1]", "kernel_shape=[2,2] strides=[2,2] pads=[1,0,0,1]",
                "kernel_shape=[2,2] dilations=[2,2]", "kernel_shape=[2,2] dilations=[2,1] strides=[3,3]",
                "kernel_shape=[2,2] strides=[3,2]", "kernel_shape=[3,2] strides=[2,2] auto_pad=SAME_UPPER",
                "kernel_shape=[2,2] strides=[2,2] auto_pad=SAME_LOWER", "kernel_shape=[2,2] strides=[2,2] ceil_mode=1",
                "kernel_shape=[3,3] strides=[2,2] ceil_mode=1",
            }
            from sizes in new[] { "5,6", "H,W" } where sizes[0] == '5' || !window.Contains("auto_pad")
            select new GradientCase("MaxPool", $"N,2,{sizes} distinct", window) { Step = Small, Tolerance = 5e-3 },
        new("MaxPool", "N,2,7 distinct", "kernel_shape=[3] strides=[2]") { Step = Small },
        new("MaxPool", "N,2,9 distinct", "kernel_shape=[3] strides=[2] dilations=[2] pads=[1,2] ceil_mode=1") { Step = Small },
        new("MaxPool", "N,2,8 distinct", "kernel_shape=[3] strides=[3] auto_pad=SAME_LOWER") { Step = Small },
        new("MaxPool", "N,2,7,8 distinct", "kernel_shape=[2,3] strides=[2,3] dilations=[2,1] pads=[0,1,1,1]") { Step = Small },
        // automatic padding, an odd element at either end; rounding up is in WholeWindowsTests
        .. from window in new[]
            {
                "strides=[2,3] auto_pad=SAME_UPPER", "strides=[2,3] auto_pad=SAME_LOWER", "strides=[1,1] auto_pad=SAME_LOWER",
                "strides=[3,2] auto_pad=SAME_UPPER",
            }
            from size in new[] { "7,8", "8,11" }
            from op in new[] { "MaxPool", "AveragePool", "AveragePool count_include_pad=1" }
            select new GradientCase(op.Split(' ')[0], $"N,2,{size}{(op is "MaxPool" ? " distinct" : "")}",
                $"kernel_shape=[3,2] {window}{op[op.Split(' ')[0].Length..]}") { Step = Small, Tolerance = 5e-3 },
        new("MaxPool", "2,2,5,6,4 distinct", "kernel_shape=[3,2,2] strides=[2,2,1] pads=[1,0,1,0,0,0] ceil_mode=1")
            { Step = Small, Tolerance = 5e-3 },
        // windows that tile the image: compared with the upsampled maxima
        new("MaxPool", "N,2,4,6 distinct", "kernel_shape=[2,2] strides=[2,2]") { Step = Small },
        new("MaxPoolGather", "N,2,6,6 | N,2,6,6 distinct",
            "kernel_shape=[2,2] strides=[2,2] pads=[0,0,0,0] dilations=[1,1] in=[6,6] channels=2 filters=2 ceil_mode=0") { Step = Small },
        new("MaxPool", "N,2,6 distinct", "kernel_shape=[2] strides=[2]") { Step = Small },
        new("MaxPool", "N,2,4,3,4 distinct", "kernel_shape=[2,2,2] strides=[2,1,2]") { Step = Small },
        new("MaxPool", "N,1,4,4,4 distinct", "kernel_shape=[2,2,2] strides=[2,2,2]") { Step = Small },
        .. from op in new[] { ("MaxPoolGrad", "3,3", "kernel_shape=[2,2] strides=[2,2]"),
            ("MaxPoolGrad", "5,5", "kernel_shape=[2,2] strides=[1,1]"), ("MaxPoolGather", "6,6", "kernel_shape=[3,3] strides=[2,2]") }
            select new GradientCase(op.Item1, $"N,2,{op.Item2} | N,2,6,6 distinct",
                $"{op.Item3} pads=[0,0,0,0] dilations=[1,1] in=[6,6] channels=2 filters=2 ceil_mode=0") { Step = Small },
        .. from window in new[]
            {
                "kernel_shape=[2,2] strides=[2,2]", "kernel_shape=[3,2]", "kernel_shape=[3,3] strides=[2,2] pads=[1,1,1,1]",
                "kernel_shape=[3,3] strides=[2,2] pads=[1,1,1,1] count_include_pad=1",
                "kernel_shape=[3,2] strides=[2,3] pads=[0,1,1,0]", "kernel_shape=[3,2] strides=[2,2] auto_pad=SAME_UPPER",
                "kernel_shape=[2,2] strides=[2,2] auto_pad=SAME_LOWER count_include_pad=1", "kernel_shape=[2,2] strides=[3,2]",
            }
            select new GradientCase("AveragePool", "N,3,5,6", window),
        .. from window in new[]
            {
                "kernel_shape=[2,2] strides=[2,2]", "kernel_shape=[3,3] strides=[2,2] pads=[1,1,0,1]", "kernel_shape=[3,2] strides=[3,2]",
                "kernel_shape=[3,3] strides=[2,2] pads=[1,1,0,1] count_include_pad=1",
                "kernel_shape=[2,2] strides=[2,2] count_include_pad=1",
            }
            select new GradientCase("AveragePool", "N,3,5,6", window + " ceil_mode=1"),
        .. from p in new[] { "", "p=1", "p=3" }
            from window in new[]
            {
                "kernel_shape=[2,2] strides=[2,2]", "kernel_shape=[3,3] strides=[2,2] pads=[1,1,1,1]",
                "kernel_shape=[3,2] strides=[2,2] auto_pad=SAME_UPPER",
            }
            where p.Length == 0 || window[13] == '2'
            select new GradientCase("LpPool", "N,3,5,6", $"{window} {p}"),
        new("LpPool", "N,2,7", "kernel_shape=[3]"), new("LpPool", "N,2,4,3,4", "kernel_shape=[2,2,3] strides=[2,1,1]"),
        new("LpPool", "N,3,5,6", "kernel_shape=[2,2] strides=[2,2] ceil_mode=1") { From = 18 },
        new("LpPool", "N,3,5,6", "kernel_shape=[2,2] dilations=[2,1]") { From = 18 },
        new("AveragePool", "N,2,7", "kernel_shape=[3] strides=[2] pads=[1,0]"),
        new("AveragePool", "N,2,4,3,4", "kernel_shape=[2,2,3] strides=[2,1,1]"),
        new("AveragePool", "N,3,6,7", "kernel_shape=[2,3] dilations=[2,2] pads=[1,1,1,1]") { From = 19 },
        new("AveragePool", "N,3,6,7", "kernel_shape=[2,3] dilations=[2,2] pads=[1,1,1,1] count_include_pad=1") { From = 19 },
        new("AveragePoolGrad", "N,3,3,3 | N,3,5,6 positions",
            "kernel_shape=[3,3] strides=[2,2] pads=[1,1,1,1] dilations=[1,1] in=[5,6] channels=3 filters=3"),
        new("AveragePoolGrad", "N,3,3,3 | N,3,5,6 positions",
            "kernel_shape=[3,3] strides=[2,2] pads=[1,1,1,1] dilations=[1,1] in=[5,6] channels=3 filters=3 count_include_pad=1"),
        .. from x in new[] { "N,3", "N,3,5", "N,3,2,4", "N,3,H,W", "N,2,2,2,2" }
            select new GradientCase("BatchNormalization", $"{x} | {x[2]} | {x[2]}", "epsilon=0.01")
            {
                Build = (g, v) => [g.Add("BatchNormalization", [v[0], v[1], v[2], Statistic(g, x[2], 0.5f), Statistic(g, x[2], 1.5f)],
                    Attributes.Of("epsilon", 0.01f))],
            },
    ]);

    public static TheoryData<string, int, bool> Runs => Rows.Runs;

    [Theory, MemberData(nameof(Runs))]
    public void Gradient_agrees_with_difference_quotients(string row, int opset, bool free) => Rows.Check(row, opset, free);

    static Value Statistic(GraphBuilder g, char channels, float first) =>
        g.Constant(Tensors.Of([.. Enumerable.Range(0, channels - '0').Select(c => first + c / 4f)], channels - '0'));
}
