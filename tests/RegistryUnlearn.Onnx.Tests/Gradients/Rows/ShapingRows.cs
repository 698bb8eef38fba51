using RegistryUnlearn.Onnx.Graphs;
using RegistryUnlearn.Onnx.Proto;

namespace RegistryUnlearn.Onnx.Tests.Gradients.Rows;

public sealed class ShapingRows
{
    internal static readonly RowSet Rows = new(
    [
        new("Reshape", "N,6 | =-1,3"), new("Reshape", "N,6 | =0,2,3"), new("Reshape", "N,H,2 | =0,-1"), new("Reshape", "scalar | =1,1"),
        new("Reshape", "N,H,2") { Build = (g, x) =>
            [g.Reshape(x[0], g.Add("Concat", [g.Gather(g.Shape(x[0]), g.Ints(1, 0), 0), g.Ints(2)], Of("axis", 0)))] },
        new("Flatten", "N,2,3"), new("Flatten", "N,2,3", "axis=0"), new("Flatten", "N,2,3", "axis=-1"), new("Flatten", "N,H,3", "axis=2"),
        new("Squeeze", "N,1,3,1"), new("Squeeze", "N,1,3,1 | =1"), new("Squeeze", "N,1,3,1 | =-1,1"), new("Squeeze", "1,1 | =0,1"),
        new("Unsqueeze", "N,3 | =1"), new("Unsqueeze", "N,3 | =-1,0"), new("Unsqueeze", "scalar | =0"),
        new("Transpose", "N,2,3"), new("Transpose", "N,2,3", "perm=[1,2,0]"), new("Transpose", "N,2,3,5", "perm=[0,3,1,2]"),
        new("Expand", "N,1,3 | =1,2,1"), new("Expand", "1,3 | =4,3"), new("Expand", "N,3 | =2,1,3"), new("Expand", "scalar | =2,3"),
        new("Expand", "N,3 | =1"),
        new("Concat", "N,3", "axis=1"), new("Concat", "N,3 | N,2", "axis=1"), new("Concat", "N,3 | N,1 | N,2", "axis=-1"),
        new("Concat", "N,3 | 2,3 | N,3", "axis=0"),
        new("Split", "N,6", "axis=1") { Outputs = 2, Until = 17 }, new("Split", "N,6", "axis=1 num_outputs=2") { Outputs = 2, From = 18 },
        new("Split", "N,7", "axis=-1 num_outputs=3") { Outputs = 3, From = 18 },
        new("Split", "N,6 | =1,3,2", "axis=-1") { Outputs = 3 }, new("Split", "6,N | =4,2") { Outputs = 2 },
        new("Split", "N,6 | =1,3,2") { Build = (g, x) => [Second(g, x)] },
        .. from bounds in new[]
            {
                "=1 | =3", "=1 | =3 | =1", "=0 | =-1 | =-1", "=-3 | =9223372036854775807 | =1", "=-100 | =100 | =1",
                "=1 | =9223372036854775807 | =1 | =2",
                "=-1 | =-9223372036854775808 | =1 | =-1", "=4 | =0 | =-1 | =-2", "=0,1 | =2,4 | =2,1", "=1,1 | =3,4 | =0,1 | =1,2",
                "=3 | =3 | =1", "=1 | =3 |  | =1",
            }
            select new GradientCase("Slice", $"4,5,3 | {bounds}"),
        .. from bounds in new[] { "=1 | =3 | =1", "=0 | =-1 | =-1", "=-3 | =9223372036854775807 | =1 | =2",
            "=-1 | =-9223372036854775808 | =0 | =-1", "=1,1 | =3,4 | =0,1" }
            select new GradientCase("Slice", $"N,5,3 | {bounds}"),
        new("Slice", "N,5") { Build = (g, x) =>
            [g.Add("Slice", [x[0], g.Sub(g.Gather(g.Shape(x[0]), g.Ints(0), 0), g.Ints(3)), g.Gather(g.Shape(x[0]), g.Ints(0), 0),
            g.Ints(0)])] },
        new("SliceGrad", "N,2 | N,5 positions | =1 | =3 | =1", "x_shape=[-1,5]"),
        new("SliceGrad", "N,3 | N,5 positions | =0 | =5 | =1 | =2", "x_shape=[-1,5]"),
        new("Pad", "N,3 | =0,1,0,2"), new("Pad", "N,3 | =0,1,0,2 | ~7"), new("Pad", "N,3,4 | =0,-1,2,0,1,-1"),
        new("Pad", "N,4 | =0,-1,0,-2"), new("Pad", "N,3 | =1,0,2,0"),
        new("Pad", "N,3,4 | =1,2 |  | =-1") { From = 18 }, new("Pad", "N,3,4 | =-1,2,1,-1 | ~0.5 | =2,1") { From = 18 },
        new("Pad", "N,3 | =0,0,0,0"),
        .. from mode in new[] { "reflect", "edge" } from pads in new[] { "=0,0,2,1,0,0,1,3", "=0,0,-1,1,0,0,2,-1", "=1,0,0,0,0,0,0,2" }
            select new GradientCase("Pad", $"{(pads[1] == '1' ? "4" : "N")},2,4,5 | {pads}", $"mode={mode}"),
        new("Pad", "N,3 | =0,2,0,1", "mode=wrap") { From = 19 }, new("Pad", "N,3,4 | =2,1 |  | =1", "mode=edge") { From = 18 },
        new("Trilu", "N,3,4"), new("Trilu", "N,4,3", "upper=0"), new("Trilu", "N,3,4 | =s-1"), new("Trilu", "4,N | =s1", "upper=0"),
        .. from mode in new[] { "", "exclusive=1", "reverse=1", "exclusive=1 reverse=1" } from axis in new[] { "=s1", "=s0", "=s-1" }
            select new GradientCase("CumSum", $"N,4,2 | {axis}", mode),
    ]);

    public static TheoryData<string, int, bool> Runs => Rows.Runs;

    [Theory, MemberData(nameof(Runs))]
    public void Gradient_agrees_with_difference_quotients(string row, int opset, bool free) => Rows.Check(row, opset, free);

    static AttributeProto Of(string name, long value) => Onnx.Graphs.Attributes.Of(name, value);

    /// <summary>Only one output of several is used.</summary>
    static Value Second(GraphBuilder g, Value[] ins)
    {
        Value[] outs = [new("first"), new("second"), new("third")];
        g.Add("Split", ins, outs, Of("axis", 1));
        return outs[1];
    }
}
