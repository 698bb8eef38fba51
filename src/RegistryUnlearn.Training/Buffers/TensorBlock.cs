using System.Runtime.InteropServices;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;
using RegistryUnlearn.Onnx.Graphs;

namespace RegistryUnlearn.Training.Buffers;

/// <summary>
/// One float tensor per parameter in a single block of unmanaged memory, so that what concerns all parameters is one pass over memory.
/// Every tensor starts on a 64-byte boundary; the gaps hold zeros and stay zero under every operation of this room.
/// </summary>
public sealed unsafe class TensorBlock : IDisposable
{
    const int AlignedFloats = 16;

    readonly float* memory;
    readonly long[] offsets;
    readonly int[] counts;
    readonly OrtValue[] values;
    readonly long length;
    bool disposed;

    /// <summary>A block of zeros.</summary>
    public TensorBlock(IReadOnlyList<ModelParameter> layout)
    {
        Layout = layout;
        offsets = new long[layout.Count];
        counts = [.. layout.Select(p => checked((int)p.Count))];
        for (var i = 0; i < layout.Count; i++)
        {
            offsets[i] = length;
            length += (counts[i] + AlignedFloats - 1L) / AlignedFloats * AlignedFloats;
        }
        memory = (float*)NativeMemory.AlignedAlloc((nuint)Math.Max(checked(length * sizeof(float)), 1), AlignedFloats * sizeof(float));
        NativeMemory.Clear(memory, (nuint)(length * sizeof(float)));
        values = [.. layout.Select((p, i) => OrtValue.CreateTensorValueWithData(
            OrtMemoryInfo.DefaultInstance, TensorElementType.Float, [.. p.Shape], (nint)(memory + offsets[i]), p.Count * sizeof(float)))];
    }

    public IReadOnlyList<ModelParameter> Layout { get; }

    public int TensorCount => offsets.Length;

    /// <summary>Floats in the block, gaps included.</summary>
    public long Length => length;

    /// <summary>The elements of tensor i in row-major order.</summary>
    public Span<float> this[int i]
    {
        get
        {
            ObjectDisposedException.ThrowIf(disposed, this);
            return new(memory + offsets[i], counts[i]);
        }
    }

    /// <summary>A part of the block, gaps included; blocks above 2³¹ floats are worked on in parts.</summary>
    public Span<float> Part(long start, int count)
    {
        ObjectDisposedException.ThrowIf(disposed, this);
        ArgumentOutOfRangeException.ThrowIfNegative(start);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(start, length - count);
        return new(memory + start, count);
    }

    /// <summary>Tensor i as ONNX Runtime sees it.</summary>
    public OrtValue Value(int i) => values[i];

    /// <summary>All tensors as ONNX Runtime sees them, under their names with a prefix.</summary>
    public IEnumerable<(string Name, OrtValue Value)> As(string prefix) => Layout.Select((p, i) => (prefix + p.Name, values[i]));

    /// <summary>Copies all values of a block with the same layout.</summary>
    public void CopyFrom(TensorBlock other)
    {
        RequireSameLayout(other);
        ObjectDisposedException.ThrowIf(disposed, this);
        ObjectDisposedException.ThrowIf(other.disposed, other);
        Buffer.MemoryCopy(other.memory, memory, length * sizeof(float), length * sizeof(float));
    }

    public TensorBlock Clone()
    {
        var clone = new TensorBlock(Layout);
        clone.CopyFrom(this);
        return clone;
    }

    internal void RequireSameLayout(TensorBlock other)
    {
        if (!other.counts.AsSpan().SequenceEqual(counts))
            throw new ArgumentException("the blocks hold different parameters", nameof(other));
    }

    public void Dispose()
    {
        if (disposed)
            return;
        disposed = true;
        foreach (var value in values)
            value.Dispose();
        NativeMemory.AlignedFree(memory);
    }
}
