using RegistryUnlearn.Onnx.Proto;

namespace RegistryUnlearn.Onnx.Graphs;

/// <summary>
/// One dimension: a fixed size (<see cref="Size"/> ≥ 0) or a size that is only known when the graph runs, named by <see cref="Symbol"/>.
/// Two dimensions with the same symbol have the same size in every run.
/// </summary>
public readonly record struct Dim(long Size, string? Symbol = null)
{
    public bool IsFixed => Symbol is null;

    public static implicit operator Dim(long size) => new(size);

    public static implicit operator Dim(string symbol) => new(-1, symbol);

    public override string ToString() => Symbol ?? Size.ToString(System.Globalization.CultureInfo.InvariantCulture);
}

/// <summary>Element type and shape of a tensor; the rank is always known.</summary>
public sealed record TensorType(TensorProto.Types.DataType Element, IReadOnlyList<Dim> Shape)
{
    public int Rank => Shape.Count;

    public bool IsFixed => Shape.All(d => d.IsFixed);

    public bool IsFloat => Element is TensorProto.Types.DataType.Float;

    /// <summary>The sizes, with -1 for every dimension that is not fixed.</summary>
    public long[] Sizes => [.. Shape.Select(d => d.IsFixed ? d.Size : -1)];

    /// <summary>Element count of a fixed shape.</summary>
    public long Count => IsFixed
        ? Shape.Aggregate(1L, (n, d) => checked(n * d.Size))
        : throw new InvalidOperationException($"{this} has no fixed size");

    /// <summary>The index from the front of an axis that may count from the back.</summary>
    public int Axis(long axis) => (int)(axis < 0 ? axis + Rank : axis);

    public bool SameShape(TensorType other) => Shape.SequenceEqual(other.Shape);

    public override string ToString() => $"{Element.ToString().ToLowerInvariant()}[{string.Join(",", Shape)}]";

    public static TensorType Float(params Dim[] shape) => new(TensorProto.Types.DataType.Float, shape);

    public static TensorType Int64(params Dim[] shape) => new(TensorProto.Types.DataType.Int64, shape);

    public ValueInfoProto ToValueInfo(string name)
    {
        var shape = new TensorShapeProto();
        foreach (var dim in Shape)
            shape.Dim.Add(dim.IsFixed ? new TensorShapeProto.Types.Dimension { DimValue = dim.Size } : new() { DimParam = dim.Symbol });
        return new ValueInfoProto { Name = name, Type = new TypeProto { TensorType = new() { ElemType = (int)Element, Shape = shape } } };
    }
}
