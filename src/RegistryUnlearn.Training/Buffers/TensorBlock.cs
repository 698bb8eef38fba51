using Microsoft.ML.OnnxRuntime;
using RegistryUnlearn.Onnx.Graphs;
using RegistryUnlearn.Training.Devices;

namespace RegistryUnlearn.Training.Buffers;

/// <summary>
/// One float tensor per parameter in a single block of unmanaged memory, so that what concerns all parameters is one pass over memory.
/// Every tensor starts on a 64-byte boundary; the gaps hold zeros and stay zero under every operation of this room. A block in the
/// memory of a device is reached by sessions of that device and by <see cref="CopyFrom"/> alone.
/// </summary>
public sealed unsafe class TensorBlock : IDisposable
{
    const int AlignedFloats = 16;

    /// <summary>Floats that a graph over whole blocks takes as one vector (64 MiB).</summary>
    const long PartFloats = 1L << 24;

    readonly long[] offsets;
    readonly int[] counts;
    readonly long length;
    Contents contents;
    bool disposed;

    /// <summary>A block of zeros.</summary>
    /// <param name="device">Whose memory it is in, if that device has its own; null for the host's.</param>
    /// <exception cref="DeviceException">The device is not there, or its memory takes no block of this size.</exception>
    public TensorBlock(IReadOnlyList<ModelParameter> layout, ExecutionDevice? device = null)
    {
        Layout = layout;
        Device = device is { SharesHostMemory: false } ? device : null;
        offsets = new long[layout.Count];
        counts = [.. layout.Select(p => checked((int)p.Count))];
        for (var i = 0; i < layout.Count; i++)
        {
            offsets[i] = length;
            length += (counts[i] + AlignedFloats - 1L) / AlignedFloats * AlignedFloats;
        }
        PartLayout = [.. Enumerable.Range(0, checked((int)((length + PartFloats - 1) / PartFloats)))
            .Select(k => new ModelParameter($"{k}", [Math.Min(PartFloats, length - k * PartFloats)]))];
        var memory = new BlockMemory(length, Device);
        contents = new(memory, [.. layout.Select((p, i) => memory.View(offsets[i], p.Shape))]);
        if (Device is not null) Clear();
    }

    public IReadOnlyList<ModelParameter> Layout { get; }

    /// <summary>The device in whose own memory the block is; null for the host's.</summary>
    public ExecutionDevice? Device { get; }

    public int TensorCount => offsets.Length;

    /// <summary>Floats in the block, gaps included.</summary>
    public long Length => length;

    /// <summary>The elements of tensor i in row-major order.</summary>
    public Span<float> this[int i]
    {
        get
        {
            RequireReadable();
            return new(contents.Memory.Start + offsets[i], counts[i]);
        }
    }

    /// <summary>A part of the block, gaps included; blocks above 2³¹ floats are worked on in parts.</summary>
    public Span<float> Part(long start, int count)
    {
        RequireReadable();
        ArgumentOutOfRangeException.ThrowIfNegative(start);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(start, length - count);
        return new(contents.Memory.Start + start, count);
    }

    /// <summary>Tensor i as ONNX Runtime sees it.</summary>
    public OrtValue Value(int i) => contents.Tensors[i];

    /// <summary>All tensors as ONNX Runtime sees them, under their names with a prefix.</summary>
    public IEnumerable<BoundValue> As(string prefix) => Layout.Select((p, i) => new BoundValue(prefix + p.Name, Device, () => Value(i)));

    /// <summary>The whole block, gaps included, as the vectors that graphs over blocks take.</summary>
    internal IReadOnlyList<ModelParameter> PartLayout { get; }

    internal OrtValue PartValue(int k)
    {
        contents.Parts ??= [.. PartLayout.Select((p, i) => contents.Memory.View(i * PartFloats, p.Shape))];
        return contents.Parts[k];
    }

    /// <summary>Copies all values of a block with the same layout, to or from a device where one of the two is there.</summary>
    public void CopyFrom(TensorBlock other)
    {
        RequireSameLayout(other);
        ObjectDisposedException.ThrowIf(disposed, this);
        ObjectDisposedException.ThrowIf(other.disposed, other);
        if ((Device ?? other.Device) is { } device)
            for (var k = 0; k < PartLayout.Count; k++)
                device.Memory.Copy(other.PartValue(k), PartValue(k));
        else
            Buffer.MemoryCopy(other.contents.Memory.Start, contents.Memory.Start, length * sizeof(float), length * sizeof(float));
    }

    /// <summary>A copy on the same device.</summary>
    public TensorBlock Clone()
    {
        var clone = new TensorBlock(Layout, Device);
        clone.CopyFrom(this);
        return clone;
    }

    /// <summary>A copy in the host's memory.</summary>
    public TensorBlock ToHost()
    {
        var copy = new TensorBlock(Layout);
        copy.CopyFrom(this);
        return copy;
    }

    /// <summary>
    /// Exchanges the contents of two blocks of a device without moving them: a graph that must not write over its inputs writes a second
    /// block. Sessions of the host, which bind memory once, would not see it.
    /// </summary>
    internal void Swap(TensorBlock other)
    {
        RequireSameLayout(other);
        if (other.Layout != Layout && !Layout.Zip(other.Layout).All(p => p.First.Shape.SequenceEqual(p.Second.Shape)))
            throw new ArgumentException("the blocks hold parameters of different shapes", nameof(other));
        if (Device is null || other.Device != Device)
            throw new InvalidOperationException("blocks swap only within the memory of one device");
        (contents, other.contents) = (other.contents, contents);
    }

    internal void RequireSameLayout(TensorBlock other)
    {
        if (!other.counts.AsSpan().SequenceEqual(counts))
            throw new ArgumentException("the blocks hold different parameters", nameof(other));
    }

    void RequireReadable()
    {
        ObjectDisposedException.ThrowIf(disposed, this);
        if (Device is not null)
            throw new InvalidOperationException($"the block is in the memory of {Device.Name}; copy it to one of the host to read it");
    }

    void Clear()
    {
        if (PartLayout.Count == 0) return;
        using var zeros = new BlockMemory(PartLayout[0].Count, device: null);
        foreach (var (k, part) in PartLayout.Index())
            Device!.Memory.Copy(zeros.View(0, part.Shape), PartValue(k));
    }

    public void Dispose()
    {
        if (disposed)
            return;
        disposed = true;
        contents.Memory.Dispose();
    }

    /// <summary>What a swap exchanges: memory and its views as tensors and, once asked for, as parts.</summary>
    sealed class Contents(BlockMemory memory, OrtValue[] tensors)
    {
        public BlockMemory Memory => memory;

        public OrtValue[] Tensors => tensors;

        public OrtValue[]? Parts { get; set; }
    }
}
