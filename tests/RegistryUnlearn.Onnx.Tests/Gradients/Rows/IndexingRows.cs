using RegistryUnlearn.Onnx.Graphs;

namespace RegistryUnlearn.Onnx.Tests.Gradients.Rows;

public sealed class IndexingRows
{
    internal static readonly RowSet Rows = new(
    [
        new("Gather", "5,3 | N index<5"), new("Gather", "5,3 | N,2 int32<5"), new("Gather", "5,3 | =s2"), new("Gather", "5,3 | =-1,0,-1"),
        new("Gather", "5 | =s-1"),
        new("Gather", "N,5,2 | =3,1,1", "axis=1"), new("Gather", "N,5,2 | =s3", "axis=1"), new("Gather", "N,2,5 | N,2 index<5", "axis=-1"),
        new("Gather", "2,3,4,N | =0,2", "axis=1"),
        new("GatherND", "5,3 | N,1 index<5"), new("GatherND", "3,3,2 | N,2 index<3"), new("GatherND", "3,3 | N,5,2 index<3"),
        new("GatherND", "3,4 | 2 index<3"),
        new("GatherND", "5,3 | =-1,2,-1") { Build = (g, x) => [g.Add("GatherND", [x[0], g.Reshape(x[1], 3, 1)])] },
        new("GatherND", "N,5,3 | N,1 index<5", "batch_dims=1"), new("GatherND", "N,3,3 | N,2,2 index<3", "batch_dims=1"),
        new("GatherND", "N,2,4,3 | N,2,3,1 index<4", "batch_dims=2"), new("GatherND", "2,N,H | 2,N,1 index<4", "batch_dims=2"),
        new("GatherElements", "5 | =-1,0,-5,2"), new("ScatterElements", "5 | =-1,1 | 2"),
        new("GatherElements", "N,5 | N,2 index<4", "axis=1"), new("GatherElements", "N,3 | N,3 index<4"),
        new("GatherElements", "N,5 | N,2 int32<4", "axis=-1"),
        new("ScatterND", "5,3 | =s0 | 3") { Build = (g, x) =>
            [g.Add("ScatterND", [x[0], g.Constant(Tensors.Of([4L, 1L], 2, 1)),
            g.Concat([g.Unsqueeze(x[2], 0), g.Unsqueeze(x[2], 0)], 0)])] },
        new("ScatterND", "5,3 | N,1 index<5 | N,3", "reduction=add"), new("ScatterND", "3,3 | N,2 index<3 | N", "reduction=add"),
        new("ScatterElements", "N,3 | =s0 | N,2") { Build = (g, x) =>
            [g.Add("ScatterElements", [x[0], g.Expand(g.Ints(2, 0), g.Shape(x[2])), x[2]], Attributes.Of("axis", 1L))] },
        new("ScatterElements", "N,3 | N,3 index<4 | N,3", "reduction=add"),
        new("ScatterElements", "N,3 | N,5 index<3 | N,5", "axis=-1 reduction=add"),
    ]);

    public static TheoryData<string, int, bool> Runs => Rows.Runs;

    [Theory, MemberData(nameof(Runs))]
    public void Gradient_agrees_with_difference_quotients(string row, int opset, bool free) => Rows.Check(row, opset, free);
}
