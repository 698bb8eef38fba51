using RegistryUnlearn.Onnx.Graphs;
using RegistryUnlearn.Onnx.Proto;

namespace RegistryUnlearn.Onnx.Tests.Gradients.Rows;

public sealed class AttentionRows
{
    const string Domain = "com.microsoft.";

    const string Positions = "=0,1,2,0,3,2,1,0,0,1,2,3";

    internal static readonly RowSet Rows = new(
    [
        .. from opset in new[] { 23, 24 }
            from row in new GradientCase[]
            {
                new("Attention", "N,2,3,4 | N,2,5,4 | N,2,5,6"), new("Attention", "N,2,3,4 | N,2,5,4 | N,2,5,4", "scale=0.75"),
                new("Attention", "N,3,8 | N,5,8 | N,5,4", "q_num_heads=2 kv_num_heads=2"),
                new("Attention", "N,3,8 | N,3,4 | N,3,6", "q_num_heads=4 kv_num_heads=2 is_causal=1"),
                new("Attention", "N,4,3,2 | N,2,5,2 | N,2,5,2", "is_causal=1"), new("Attention", "N,4,3,2 | N,1,3,2 | N,1,3,2"),
                new("Attention", "N,2,H,4 | N,2,W,4 | N,2,W,4"), new("Attention", "N,2,H,4 | N,2,H,4 | N,2,H,4", "is_causal=1"),
                new("Attention", "N,2,3,4 | N,2,5,4 | N,2,5,4 | 3,5"), new("Attention", "N,2,3,4 | N,2,5,4 | N,2,5,4 | N,2,3,5"),
                new("Attention", "N,2,3,4 | N,2,5,4 | N,2,5,4 | N,1,3,5", "is_causal=1"),
                new("Attention", "N,2,3,4 | N,2,3,4 | N,2,3,4", "softcap=0.5"),
                new("Attention", "N,2,2,4 | N,2,3,4 | N,2,3,4")
                {
                    Build = (g, x) => [g.Add("Attention", [.. x, Mask(g, TensorProto.Types.DataType.Bool, [2, 3], 1, 0, 1, 1, 1, 0)])],
                },
            }
            select row with { From = opset },
        .. from half in new[] { "N,4,2", "N,4,3" } from form in new[] { "num_heads=2", "num_heads=2 interleaved=1" }
            select new GradientCase("RotaryEmbedding", $"N,4,{(half[^1] - '0') * 4} | {half} | {half}", form) { From = 23 },
        new("RotaryEmbedding", "N,2,4,6 | N,4,2 | N,4,2", "rotary_embedding_dim=4") { From = 23 },
        new("RotaryEmbedding", $"3,2,4,6 | 5,3 | 5,3 | {Positions}")
            { From = 23, Build = (g, x) => [g.Add("RotaryEmbedding", [x[0], x[1], x[2], g.Reshape(x[3], 3, 4)])] },
        new("RotaryEmbedding", $"3,4,16 | 5,2 | 5,2 | {Positions}")
        {
            From = 23,
            Build = (g, x) => [g.Add("RotaryEmbedding", [x[0], x[1], x[2], g.Reshape(x[3], 3, 4)],
                Onnx.Graphs.Attributes.Of("num_heads", 2), Onnx.Graphs.Attributes.Of("rotary_embedding_dim", 4))],
        },
        new(Domain + "RotaryEmbedding", "N,2,4,6 | =1 | 5,3 | 5,3"),
        new(Domain + "RotaryEmbedding", "N,4,12 | =0 | 5,3 | 5,3", "interleaved=1"),
        new(Domain + "RotaryEmbedding", $"3,4,16 | {Positions} | 5,2 | 5,2")
        {
            Build = (g, x) => [g.Add(Domain + "RotaryEmbedding", [x[0], g.Reshape(x[1], 3, 4), x[2], x[3]],
                Onnx.Graphs.Attributes.Of("num_heads", 2), Onnx.Graphs.Attributes.Of("rotary_embedding_dim", 4))],
        },
        new(Domain + "Attention", "N,3,4 | 4,12 | 12", "num_heads=2"),
        new(Domain + "Attention", "N,3,4 | 4,12 | 12", "num_heads=2 unidirectional=1"),
        new(Domain + "Attention", "N,3,4 | 4,18 | 18", "num_heads=2 qkv_hidden_sizes=[6,6,6] scale=0.75"),
        new(Domain + "Attention", "N,H,4 | 4,20 | 20", "num_heads=2 qkv_hidden_sizes=[8,8,4]"),
        new(Domain + "Attention", "N,3,4 | 4,12 | 12 |  |  | N,2,3,3", "num_heads=2"),
        new(Domain + "Attention", "N,3,4 | 4,12 | 12 |  |  | 1,2,3,3", "num_heads=2 unidirectional=1"),
        .. from causal in new[] { 0L, 1 }
            from mask in new[] { "3 : 2,3,1", "3,3 : 1,1,0,1,0,0,1,1,1", "3,3,3 : 1,0,0,1,1,0,1,1,1,1,0,0,0,1,0,0,0,1,1,1,1,1,1,1,1,0,1" }
            select new GradientCase(Domain + "Attention", $"3,3,4 | 4,12 | 12 | ={mask.Split(" : ")[1]}", causal == 1 ? "causal" : "")
            {
                Build = (g, x) => [g.Add(Domain + "Attention", [x[0], x[1], x[2], Reshaped(g, x[3], mask)],
                    Onnx.Graphs.Attributes.Of("num_heads", 2), Onnx.Graphs.Attributes.Of("unidirectional", causal))],
            },
        new(Domain + "MultiHeadAttention", "N,3,4 | N,5,4 | N,5,4", "num_heads=2"),
        new(Domain + "MultiHeadAttention", "N,3,4 | N,5,4 | N,5,6 | 14", "num_heads=2 scale=0.75"),
        new(Domain + "MultiHeadAttention", "N,H,4 | N,W,4 | N,W,4", "num_heads=2"),
        new(Domain + "MultiHeadAttention", "N,3,4 | N,2,5,2 | N,2,5,2", "num_heads=2"),
        new(Domain + "MultiHeadAttention", "N,3,4 | N,3,4 | N,3,4 |  |  | 1,2,3,3", "num_heads=2 unidirectional=1"),
        .. from mask in new[] { "3 : 2,5,1", "3,5 : 1,1,0,1,0,0,1,1,1,0,1,0,1,0,1" }
            select new GradientCase(Domain + "MultiHeadAttention", $"3,2,4 | 3,5,4 | 3,5,4 | ={mask.Split(" : ")[1]}")
            {
                Build = (g, x) => [g.Add(Domain + "MultiHeadAttention", [x[0], x[1], x[2], default, Reshaped(g, x[3], mask)],
                    Onnx.Graphs.Attributes.Of("num_heads", 2))],
            },
        new(Domain + "GroupQueryAttention", "3,4,32 | 3,4,16 | 3,4,16 | =3,3,3") { Build = (g, x) => [Grouped(g, x)] },
        new(Domain + "GroupQueryAttention", "3,4,64 | 3,4,32 | 3,4,32 | =3,3,3 | 4,8 | 4,8")
        {
            Build = (g, x) => [Grouped(g, x, Onnx.Graphs.Attributes.Of("do_rotary", 1))],
        },
        new(Domain + "GroupQueryAttention", "3,4,32 | 3,4,16 | 3,4,16 | =3,3,3 | ", "softcap")
        {
            Build = (g, x) => [Grouped(g, x[..4], Onnx.Graphs.Attributes.Of("softcap", 0.5f), Onnx.Graphs.Attributes.Of("scale", 0.75f))],
        },
        .. from ins in new[]
            {
                "N,3 int32<5 | N,3 int32<2 | 5,4 | 6,4 | 2,4 | 4 | 4", "N,H int32<5 |  | 5,4 | 64,4 |  | 4 | 4",
                "N,3 int32<5 |  | 5,4 | 6,4 |  | 4 | 4 |  | N,3 int32<6",
            }
            select new GradientCase(Domain + "EmbedLayerNormalization", ins) { Build = Embedded },
        new(Domain + "EmbedLayerNormalization", "3,3 int32<5 |  | 5,4 | 6,4 |  | 4 | 4 | =1,1,0,1,0,0,1,1,1")
            { Build = (g, x) => Embedded(g, [.. x[..7], Reshaped(g, x[7], "3,3 : ")]) },
    ]);

    public static TheoryData<string, int, bool> Runs => Rows.Runs;

    [Theory, MemberData(nameof(Runs))]
    public void Gradient_agrees_with_difference_quotients(string row, int opset, bool free) => Rows.Check(row, opset, free);

    static Value Mask(GraphBuilder g, TensorProto.Types.DataType element, long[] shape, params ReadOnlySpan<long> values) =>
        g.Cast(g.Reshape(g.Ints(values), shape), element);

    static Value Reshaped(GraphBuilder g, Value values, string mask) =>
        g.Cast(g.Reshape(values, [.. mask.Split(" : ")[0].Split(',').Select(long.Parse)]), TensorProto.Types.DataType.Int32);

    /// <summary>Four heads of queries, two of keys and values; all samples have four steps.</summary>
    static Value Grouped(GraphBuilder g, Value[] x, params AttributeProto[] attributes)
    {
        var lengths = g.Cast(x[3], TensorProto.Types.DataType.Int32);
        var total = g.Cast(g.Squeeze(g.Ints(4), 0), TensorProto.Types.DataType.Int32);
        Value[] outs = [new("y"), new("keys"), new("values")];
        g.Add(Domain + "GroupQueryAttention", [x[0], x[1], x[2], default, default, lengths, total, .. x[4..]], outs,
            [Onnx.Graphs.Attributes.Of("num_heads", 4), Onnx.Graphs.Attributes.Of("kv_num_heads", 2), .. attributes]);
        return outs[0];
    }

    /// <summary>The normalised embedding and the sum before.</summary>
    static Value[] Embedded(GraphBuilder g, Value[] x)
    {
        Value[] outs = [new("y"), new("lengths"), new("sum")];
        g.Add(Domain + "EmbedLayerNormalization", x, outs, Onnx.Graphs.Attributes.Of("epsilon", 0.1f));
        return [outs[0], g.Mul(outs[2], g.Cast(g.Unsqueeze(g.Add(outs[1], g.Cast(g.Ints(1), TensorProto.Types.DataType.Int32)), 1, 2)))];
    }
}
