using System.Buffers;
using System.Buffers.Binary;
using Google.Protobuf;
using Microsoft.Win32.SafeHandles;
using RegistryUnlearn.Onnx.Proto;
using static RegistryUnlearn.Onnx.Proto.TensorProto.Types;

namespace RegistryUnlearn.Onnx.Models;

/// <summary>Where a tensor's elements are stored.</summary>
public enum TensorStorage
{
    /// <summary>TensorProto.raw_data.</summary>
    RawData,

    /// <summary>float_data, int32_data, int64_data, double_data, uint64_data or string_data.</summary>
    TypedField,

    /// <summary>A region of a file beside the model.</summary>
    External,

    /// <summary>Attribute value_float of a Constant node.</summary>
    FloatAttribute,

    /// <summary>Attribute value_floats of a Constant node.</summary>
    FloatsAttribute,
}

/// <summary>An initializer or the value of a Constant node; reads its elements from wherever they are stored.</summary>
public sealed class TensorData
{
    const int ChunkElements = 1 << 16;

    readonly string modelPath;
    readonly TensorProto? tensor;
    readonly AttributeProto? attribute;
    readonly TensorLayout layout;

    TensorData(string modelPath, string name, string element, TensorLayout layout, TensorStorage storage)
    {
        this.modelPath = modelPath;
        this.layout = layout;
        Name = name;
        Element = element;
        Storage = storage;
    }

    internal TensorData(
        string modelPath, string name, string element,
        TensorProto tensor, TensorLayout layout, TensorStorage storage, ExternalRegion? region)
        : this(modelPath, name, element, layout, storage)
    {
        this.tensor = tensor;
        Region = region;
    }

    internal TensorData(string modelPath, string name, string element, AttributeProto attribute, bool single)
        : this(modelPath, name, element,
            single
                ? new(DataType.Float, [], 1, 4)
                : new(DataType.Float, [attribute.Floats.Count], attribute.Floats.Count, 4L * attribute.Floats.Count),
            single ? TensorStorage.FloatAttribute : TensorStorage.FloatsAttribute) => this.attribute = attribute;

    /// <summary>Name of the value: the initializer's, or the output of the Constant node.</summary>
    public string Name { get; }

    /// <summary>Dimensions; empty for a scalar.</summary>
    public IReadOnlyList<long> Shape => layout.Shape;

    /// <summary>Number of elements.</summary>
    public long Count => layout.Count;

    public DataType ElementType => layout.Type;

    /// <summary>Whether the elements convert to float: FLOAT, FLOAT16, BFLOAT16 or DOUBLE.</summary>
    public bool IsFloat => ElementTypes.IsFloat(ElementType);

    public TensorStorage Storage { get; }

    /// <summary>Whether the tensor is the value of a Constant node rather than an initializer.</summary>
    public bool IsConstantNode { get; internal init; }

    internal string Element { get; }

    internal ExternalRegion? Region { get; }

    internal TensorProto? Proto => tensor;

    /// <summary>Reads all elements, converted to float. FLOAT16 and BFLOAT16 widen exactly, DOUBLE rounds.</summary>
    /// <exception cref="OnnxModelException">Not a float type, or too large for one array (read it in parts).</exception>
    public float[] ReadFloats()
    {
        var floats = new float[CountInOneArray()];
        ReadFloats(0, floats);
        return floats;
    }

    /// <summary>Reads destination.Length elements from element start on (row-major), converted to float, in bounded memory.</summary>
    /// <exception cref="OnnxModelException">Not a float type, or the data file has been cut short since the model was opened.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The range leaves the tensor.</exception>
    public void ReadFloats(long start, Span<float> destination)
    {
        RequireFloat();
        ArgumentOutOfRangeException.ThrowIfNegative(start);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(destination.Length, Count - start, nameof(destination));
        if (Storage == TensorStorage.FloatAttribute)
        {
            if (destination.Length > 0) destination[0] = attribute!.F;
            return;
        }
        if (Storage == TensorStorage.FloatsAttribute)
        {
            for (var i = 0; i < destination.Length; i++) destination[i] = attribute!.Floats[(int)start + i];
            return;
        }

        var size = FloatCodec.SizeOf(ElementType);
        using var handle = OpenRegion();
        var buffer = ArrayPool<byte>.Shared.Rent(ChunkElements * size);
        for (var done = 0; done < destination.Length;)
        {
            var floats = destination.Slice(done, Math.Min(ChunkElements, destination.Length - done));
            var bytes = buffer.AsSpan(0, floats.Length * size);
            ReadRaw(handle, (start + done) * size, bytes);
            FloatCodec.Decode(ElementType, bytes, floats);
            done += floats.Length;
        }
        ArrayPool<byte>.Shared.Return(buffer);
    }

    /// <summary>Reads all elements of an integer or BOOL tensor of 8 bits and more.</summary>
    /// <exception cref="OnnxModelException">Another type, or too large for one array.</exception>
    public long[] ReadInt64s()
    {
        Func<ReadOnlySpan<byte>, long> read = ElementType switch
        {
            DataType.Int8 => b => (sbyte)b[0],
            DataType.Uint8 or DataType.Bool => b => b[0],
            DataType.Int16 => b => BinaryPrimitives.ReadInt16LittleEndian(b),
            DataType.Uint16 => b => BinaryPrimitives.ReadUInt16LittleEndian(b),
            DataType.Int32 => b => BinaryPrimitives.ReadInt32LittleEndian(b),
            DataType.Uint32 => b => BinaryPrimitives.ReadUInt32LittleEndian(b),
            DataType.Int64 => BinaryPrimitives.ReadInt64LittleEndian,
            DataType.Uint64 => b => checked((long)BinaryPrimitives.ReadUInt64LittleEndian(b)),
            _ => throw Bad($"{ElementTypes.NameOf(ElementType)} elements are not integers", "Name a tensor of an integer type"),
        };
        var integers = new long[CountInOneArray()];
        var bytes = ReadBytes();
        var size = integers.Length == 0 ? 0 : bytes.Length / integers.Length;
        for (var i = 0; i < integers.Length; i++) integers[i] = read(bytes.AsSpan(i * size, size));
        return integers;
    }

    /// <summary>Reads all elements in the layout of raw_data: little-endian, row-major, elements under 8 bits packed.</summary>
    /// <exception cref="OnnxModelException">Strings, or too large for one array.</exception>
    public byte[] ReadBytes()
    {
        if (ElementType == DataType.String) throw Bad("strings have no raw form", "Name a numeric tensor");
        if (layout.ByteLength > Array.MaxLength) throw Bad($"{layout.ByteLength} bytes do not fit one array", "Read the tensor in parts");
        var bytes = new byte[layout.ByteLength];
        if (attribute is not null)
        {
            FloatCodec.Encode(ElementType, ReadFloats(), bytes);
            return bytes;
        }
        using var handle = OpenRegion();
        ReadRaw(handle, 0, bytes);
        return bytes;
    }

    /// <summary>Reads the whole (float) tensor once and refuses NaN and infinity.</summary>
    /// <exception cref="OnnxModelException">Names the tensor and the row-major index of the first value that is not finite.</exception>
    public void RequireFinite()
    {
        var chunk = ArrayPool<float>.Shared.Rent(ChunkElements);
        for (long start = 0; start < Count; start += ChunkElements)
        {
            var floats = chunk.AsSpan(0, (int)Math.Min(ChunkElements, Count - start));
            ReadFloats(start, floats);
            RequireFinite(floats, start);
        }
        ArrayPool<float>.Shared.Return(chunk);
    }

    /// <summary>Refuses NaN and infinity in values meant for this tensor, which begin at its element start.</summary>
    internal void RequireFinite(ReadOnlySpan<float> values, long start)
    {
        for (var i = 0; i < values.Length; i++)
            if (!float.IsFinite(values[i]))
                throw Bad($"element {start + i} is {(float.IsNaN(values[i]) ? "NaN" : "infinite")}",
                    "Use a checkpoint with finite values, or lower the step size");
    }

    /// <summary>Encodes values in the tensor's element type; a value beyond the range of a 16-bit type is an error.</summary>
    internal void Encode(ReadOnlySpan<float> values, long start, Span<byte> bytes)
    {
        FloatCodec.Encode(ElementType, values, bytes);
        if (ElementType is not (DataType.Float16 or DataType.Bfloat16)) return;
        Span<float> back = stackalloc float[1];
        for (var i = 0; i < values.Length; i++)
        {
            FloatCodec.Decode(ElementType, bytes.Slice(2 * i, 2), back);
            if (!float.IsFinite(back[0]))
                throw Bad($"element {start + i} is {values[i]}, beyond the range of {ElementTypes.NameOf(ElementType)}",
                    "Lower the step size, or convert the model to FLOAT");
        }
    }

    /// <summary>Replaces the elements in the model, in the form they have; not for external data.</summary>
    internal void Replace(ReadOnlySpan<float> values)
    {
        switch (Storage)
        {
            case TensorStorage.FloatAttribute:
                attribute!.F = values[0];
                return;
            case TensorStorage.FloatsAttribute:
                for (var i = 0; i < values.Length; i++) attribute!.Floats[i] = values[i];
                return;
        }
        var bytes = new byte[layout.ByteLength];
        Encode(values, 0, bytes);
        if (Storage == TensorStorage.RawData) tensor!.RawData = UnsafeByteOperations.UnsafeWrap(bytes);
        else TypedField.Replace(tensor!, ElementType, bytes);
    }

    internal void RequireFloat()
    {
        if (!IsFloat)
            throw Bad($"{ElementTypes.NameOf(ElementType)} elements are not floats",
                "Name a tensor of type FLOAT, FLOAT16, BFLOAT16 or DOUBLE");
    }

    internal OnnxModelException Bad(string problem, string remedy) => new(modelPath, Element, problem, remedy);

    SafeFileHandle? OpenRegion() => Region is null ? null : File.OpenHandle(Region.File.FullPath);

    void ReadRaw(SafeFileHandle? handle, long offset, Span<byte> bytes)
    {
        switch (Storage)
        {
            case TensorStorage.RawData:
                tensor!.RawData.Span.Slice((int)offset, bytes.Length).CopyTo(bytes);
                return;
            case TensorStorage.TypedField:
                var (_, entries, _) = TypedField.Of(tensor!, ElementType, Count);
                if (entries > 0) TypedField.CopyBytes(tensor!, ElementType, (int)(offset / (layout.ByteLength / entries)), bytes);
                return;
        }
        while (bytes.Length > 0)
        {
            var read = RandomAccess.Read(handle!, bytes, Region!.Offset + offset);
            if (read == 0)
                throw Bad($"data file '{Region.File.RelativePath}' ended early",
                    "Fetch the data file again; it was changed while in use");
            offset += read;
            bytes = bytes[read..];
        }
    }

    int CountInOneArray() => Count <= Array.MaxLength
        ? (int)Count
        : throw Bad($"{Count} elements do not fit one array", "Read the tensor in parts");
}
