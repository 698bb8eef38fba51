using Microsoft.ML.OnnxRuntime.Tensors;

namespace RegistryUnlearn.Training.Buffers;

/// <summary>The memory of model inputs in the element type that the model takes: float32, or int64 or int32 for tokens.</summary>
public readonly ref struct InputSpan
{
    readonly Span<float> floats;
    readonly Span<long> longs;
    readonly Span<int> ints;

    public InputSpan(Span<float> floats)
    {
        this.floats = floats;
        (Element, Length) = (TensorElementType.Float, floats.Length);
    }

    public InputSpan(Span<long> longs)
    {
        this.longs = longs;
        (Element, Length) = (TensorElementType.Int64, longs.Length);
    }

    public InputSpan(Span<int> ints)
    {
        this.ints = ints;
        (Element, Length) = (TensorElementType.Int32, ints.Length);
    }

    public TensorElementType Element { get; }

    /// <summary>Elements.</summary>
    public int Length { get; }

    public Span<float> Floats => Element is TensorElementType.Float ? floats : throw Other(TensorElementType.Float);

    public Span<long> Longs => Element is TensorElementType.Int64 ? longs : throw Other(TensorElementType.Int64);

    public Span<int> Ints => Element is TensorElementType.Int32 ? ints : throw Other(TensorElementType.Int32);

    public InputSpan Slice(int start, int length) => Element switch
    {
        TensorElementType.Int64 => new(longs.Slice(start, length)),
        TensorElementType.Int32 => new(ints.Slice(start, length)),
        _ => new(floats.Slice(start, length)),
    };

    /// <summary>Copies to memory of the same element type that is at least as long.</summary>
    public void CopyTo(InputSpan target)
    {
        switch (Element)
        {
            case TensorElementType.Int64: longs.CopyTo(target.Longs); break;
            case TensorElementType.Int32: ints.CopyTo(target.Ints); break;
            default: floats.CopyTo(target.Floats); break;
        }
    }

    public static implicit operator InputSpan(Span<float> floats) => new(floats);

    public static implicit operator InputSpan(float[] floats) => new(floats.AsSpan());

    public static implicit operator Span<float>(InputSpan inputs) => inputs.Floats;

    InvalidOperationException Other(TensorElementType wanted) => new($"the inputs are {Element}, not {wanted}");
}
