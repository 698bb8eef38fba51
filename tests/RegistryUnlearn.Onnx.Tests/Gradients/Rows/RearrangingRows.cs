using RegistryUnlearn.Onnx.Graphs;

namespace RegistryUnlearn.Onnx.Tests.Gradients.Rows;

public sealed class RearrangingRows
{
    internal static readonly RowSet Rows = new(
    [
        new("Tile", "N,3 | =1,2"), new("Tile", "N,3 | =3,1"), new("Tile", "N,3,2 | =2,1,3"), new("Tile", "N,H,2 | =1,2,2"),
        new("Tile", "N,3 | =1,1"),
        .. from shape in new[] { "N,8,2,3", "N,4,H,W" } from mode in new[] { "", " mode=DCR", " mode=CRD" }
            select new GradientCase("DepthToSpace", shape, "blocksize=2" + mode),
        new("SpaceToDepth", "N,2,4,6", "blocksize=2"), new("SpaceToDepth", "N,1,3,6", "blocksize=3"),
        new("TopK", "N,5 distinct | =2") { Step = 1 / 128f, Build = (g, x) => [Values(g, x, 1)] },
        new("TopK", "5,N distinct | =3") { Step = 1 / 128f, Build = (g, x) => [Values(g, x, 0)] },
        .. from equation in new[]
            {
                "N,2,3 | N,3,4 : bij,bjk->bik", "N,3 | 5,3 : bi,oi->bo", "N,3 | N,3 : bi,bi->b", "N,3 | N,3 : bi,bi->",
                "N,3 | 4 : bi,k->bk", "N,2,3,4 | N,5,3,4 : bqhd,bkhd->bhqk", "N,2,3 : bij->bji", "N,2,3 : bij->b", "N,3 : bi->",
                "N,2,3 : bij->ji", "N,3 | 3,4 : bi,ij", "N,3 | 3,4 | 4,N : ai,ij,jc->ac", "N,3 | N,2,4 : bi,bjk->bik",
                "N,H,3 | N,H,3 : bhi,bhj->bij",
                // an ellipsis, of several ranks, alone, between labels, without an arrow
                "N,2,3 | N,3,4 : ...ij,...jk->...ik", "N,2,3,4 | 4,5 : ...i,ij->...j", "N,2,3 | 1,2,3 : ...,...->...", "N,2,3 : ...j->...",
                "N,2,3 | 3 : b...j,j->b...", "2,N,3 | 1,N,5 : ...i,...j->...ij", "N,2,3 : ...ji", "N,2,3 | N,2,3 : ...i,...i",
                // a label twice in a term
                "N,3,3 : bii->bi", "N,3,3 : bii->b", "3,3 : ii->", "N,3,3 | N,3 : bii,bi->b", "N,3,3 | 3 : bii,i->bi", "N,H,H : bii->bi",
                "2,N,N : ...ii->...i",
                // axes of size one, repeated
                "N,1,3 | N,4,3 : bij,bij->bj", "N,4,3 | N,1,3 : bij,bij->bi", "N,1,3 | N,4,3 | N,4,3 : bij,bij,bij->bj",
                "N,4,3 | N,1,3 : bij,bij->bj", "N,4,3 | 1,3 : bij,bj->bi", "1,3 | N,3 : bj,bj->j",
            }
            select new GradientCase("Einsum", equation.Split(" : ")[0], "equation=" + equation.Split(" : ")[1]) { Step = 1 / 64f },
        new("ReverseSequence", "5,4,2 | =1,5,3,2"), new("ReverseSequence", "4,N,3 | N index<4"),
        new("ReverseSequence", "4,5,N | =2,5,3,1", "batch_axis=0 time_axis=1"),
        new("MaxUnpool", "1,1,2,3 | =1,3,4,13,14,17", "kernel_shape=[2,2] strides=[2,2]") { Build = Unpool },
        new("MaxUnpool", "1,1,2,3 | =0,9,5,28,20,27 | =1,1,5,7", "kernel_shape=[2,2] strides=[2,2]") { Build = Unpool },
        new("Col2Im", "N,12,12 | =4,5 | =2,2") { From = 18 },
        new("Col2Im", "N,18,4 | =4,5 | =3,3", "strides=[2,2] pads=[1,1,1,0]") { From = 18 },
        new("Col2Im", "N,4,6 | =4,5 | =2,2", "strides=[2,1] dilations=[1,2]") { From = 18 },
        new("Col2Im", "N,6,3 | =7 | =3", "strides=[2]") { From = 18 },
        .. from scales in new[] { "1,1,2,2", "1,1,1.5,2.5", "1,1,0.6,1", "1,2,1,3" }
            from mode in new[] { "half_pixel", "asymmetric", "align_corners" }
            from nearest in new[] { "round_prefer_floor", "floor", "ceil", "round_prefer_ceil" }
            where nearest is "round_prefer_floor" or "floor" || scales is "1,1,1.5,2.5"
            select new GradientCase("Resize", $"N,2,4,5 |  | ~{scales}",
                $"mode=nearest coordinate_transformation_mode={mode} nearest_mode={nearest}"),
        .. from scales in new[] { "1,1,2,2", "1,1,1.5,2.5", "1,1,0.6,1" }
            from mode in new[] { "half_pixel", "asymmetric", "align_corners", "pytorch_half_pixel" }
            from kind in new[] { "linear", "cubic" }
            select new GradientCase("Resize", $"N,2,4,5 |  | ~{scales}", $"mode={kind} coordinate_transformation_mode={mode}"),
        new("Resize", "N,2,4,5 |  | ~1,1,2,2", "mode=cubic exclude_outside=1 cubic_coeff_a=-0.5"),
        new("Resize", "N,2,4,5 |  | ~1,1,1.5,1.5", "mode=linear coordinate_transformation_mode=half_pixel_symmetric") { From = 19 },
        new("Resize", "4,2,4,5 |  |  | =4,2,8,15", "mode=nearest coordinate_transformation_mode=asymmetric"),
        new("Resize", "4,2,4,5 |  |  | =4,2,7,9", "mode=linear"),
        new("Resize", "N,2,4,5 |  |  | =7,3", "mode=linear axes=[2,3]") { From = 18 },
    ]);

    public static TheoryData<string, int, bool> Runs => Rows.Runs;

    [Theory, MemberData(nameof(Runs))]
    public void Gradient_agrees_with_difference_quotients(string row, int opset, bool free) => Rows.Check(row, opset, free);

    static Value[] Unpool(GraphBuilder g, Value[] x) =>
        [g.Add("MaxUnpool", [x[0], g.Reshape(x[1], 1, 1, 2, 3), .. x[2..]], Onnx.Graphs.Attributes.Of("kernel_shape", [2L, 2]),
            Onnx.Graphs.Attributes.Of("strides", [2L, 2]))];

    static Value Values(GraphBuilder g, Value[] ins, long axis)
    {
        Value[] outs = [new("values"), new("indices")];
        g.Add("TopK", ins, outs, Onnx.Graphs.Attributes.Of("axis", axis));
        return outs[0];
    }
}
