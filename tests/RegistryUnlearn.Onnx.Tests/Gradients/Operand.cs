using System.Globalization;
using RegistryUnlearn.Onnx.Graphs;
using RegistryUnlearn.Onnx.Proto;
using RegistryUnlearn.Onnx.Tests.Graphs;

namespace RegistryUnlearn.Onnx.Tests.Gradients;

/// <summary>
/// One input of an operator, as text. "" is absent; "=1,-2" an int64 constant vector, "=s1" an int64 constant scalar, "~0.5" a float
/// constant, "~1,2" a vector of them;
/// anything else is a graph input: dimensions separated by commas, letters for free ones, then optionally its domain. "scalar" has rank 0.
/// Domains of floats:
/// (none) at least 0.09 away from every multiple of 1/4, between -1.25 and 1.25; "positive" 0.8 to 2; "distinct" any two elements 1/20
/// apart;
/// "positions" integers 0, 1, 2 and so on, not differentiated. Others: "index&lt;3" int64 and "int32&lt;3" below 3, "bool".
/// </summary>
sealed record Operand(string Text)
{
    /// <summary>Sizes that free dimensions have when a case runs; none of them is a size that the type oracle tries.</summary>
    public static readonly IReadOnlyDictionary<string, long> Sizes = new Dictionary<string, long> { ["N"] = 4, ["H"] = 6, ["W"] = 7 };

    string[] Words => Text.Split(' ', StringSplitOptions.RemoveEmptyEntries);

    string[] Dims => Words[0] is "scalar" ? [] : Words[0].Split(',');

    string Domain => Words.Length > 1 ? Words[1] : "";

    public bool IsInput => Text.Length > 0 && Text[0] is not ('=' or '~');

    public bool IsFloat => IsInput && Domain is "" or "positive" or "distinct";

    public long[] Shape => [.. Dims.Select(d => Sizes.TryGetValue(d, out var size) ? size : long.Parse(d, CultureInfo.InvariantCulture))];

    public Value Declare(GraphBuilder g, string name, bool free) => Text switch
    {
        "" => default,
        ['=', 's', .. var scalar] => g.Constant(Tensors.Of([long.Parse(scalar, CultureInfo.InvariantCulture)], dims: [])),
        ['=', .. var list] =>
            g.Ints([.. list.Split(',', StringSplitOptions.RemoveEmptyEntries).Select(t => long.Parse(t, CultureInfo.InvariantCulture))]),
        ['~', .. var list] when list.Contains(',') => g.Constant(
            Tensors.Of([.. list.Split(',').Select(t => float.Parse(t, CultureInfo.InvariantCulture))], list.Split(',').Length)),
        ['~', .. var number] => g.Scalar(float.Parse(number, CultureInfo.InvariantCulture)),
        _ => g.Input(name, new(Element, [.. Dims.Zip(Shape, (d, size) => free && Sizes.ContainsKey(d) ? (Dim)d : size)])),
    };

    TensorProto.Types.DataType Element => Domain switch
    {
        ['i', 'n', 'd', 'e', 'x', ..] => TensorProto.Types.DataType.Int64,
        ['i', 'n', 't', ..] => TensorProto.Types.DataType.Int32,
        "bool" => TensorProto.Types.DataType.Bool,
        _ => TensorProto.Types.DataType.Float,
    };

    public Tensor Sample(Random random)
    {
        var count = (int)Shape.Aggregate(1L, (n, d) => n * d);
        int Below() => random.Next(int.Parse(Domain.Split('<')[1], CultureInfo.InvariantCulture));
        Array values = Element switch
        {
            TensorProto.Types.DataType.Int64 => Fill(() => (long)Below()),
            TensorProto.Types.DataType.Int32 => Fill(Below),
            TensorProto.Types.DataType.Bool => Fill(() => random.Next(2) == 0),
            _ when Domain is "positive" => Fill(() => 0.8f + 1.2f * random.NextSingle()),
            _ when Domain is "distinct" => Permuted(),
            _ when Domain is "positions" => Enumerable.Range(0, count).Select(i => (float)i).ToArray(),
            _ => Fill(() => 0.25f * random.Next(-5, 5) + 0.125f + 0.03f * (2 * random.NextSingle() - 1)),
        };
        return new(values, Shape);

        T[] Fill<T>(Func<T> next) => [.. Enumerable.Range(0, count).Select(_ => next())];

        float[] Permuted()
        {
            float[] spaced = [.. Enumerable.Range(0, count).Select(i => 0.05f * (i - count / 2))];
            random.Shuffle(spaced);
            return spaced;
        }
    }
}
