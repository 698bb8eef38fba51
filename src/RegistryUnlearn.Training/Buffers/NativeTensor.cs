using System.Runtime.InteropServices;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace RegistryUnlearn.Training.Buffers;

/// <summary>A tensor in unmanaged memory, aligned to 64 bytes, that sessions read and write in place.</summary>
public sealed unsafe class NativeTensor : IDisposable
{
    const nuint Alignment = 64;

    readonly void* memory;
    readonly TensorElementType element;
    readonly long bytes;
    bool disposed;

    /// <summary>A tensor of zeros.</summary>
    public NativeTensor(TensorElementType element, params IReadOnlyList<long> shape)
    {
        this.element = element;
        Shape = [.. shape];
        Count = shape.Aggregate(1L, (n, d) => checked(n * d));
        bytes = checked(Count * SizeOf(element));
        memory = NativeMemory.AlignedAlloc((nuint)Math.Max(bytes, 1), Alignment);
        NativeMemory.Clear(memory, (nuint)bytes);
        Value = OrtValue.CreateTensorValueWithData(OrtMemoryInfo.DefaultInstance, element, Shape, (nint)memory, bytes);
    }

    public long[] Shape { get; }

    public long Count { get; }

    /// <summary>The same memory as ONNX Runtime sees it.</summary>
    public OrtValue Value { get; }

    /// <summary>The elements of a float tensor.</summary>
    public Span<float> Floats => View<float>(TensorElementType.Float);

    /// <summary>The elements of an int64 tensor.</summary>
    public Span<long> Longs => View<long>(TensorElementType.Int64);

    /// <summary>The elements of a model input: float32, int64 or int32.</summary>
    public InputSpan Inputs => element switch
    {
        TensorElementType.Int64 => new(Longs),
        TensorElementType.Int32 => new(View<int>(TensorElementType.Int32)),
        _ => new(Floats),
    };

    Span<T> View<T>(TensorElementType wanted)
    {
        ObjectDisposedException.ThrowIf(disposed, this);
        return element == wanted
            ? new Span<T>(memory, checked((int)Count))
            : throw new InvalidOperationException($"the tensor holds {element}, not {wanted}");
    }

    static int SizeOf(TensorElementType element) => element switch
    {
        TensorElementType.Float or TensorElementType.Int32 => 4,
        TensorElementType.Int64 or TensorElementType.Double => 8,
        TensorElementType.Bool or TensorElementType.UInt8 or TensorElementType.Int8 => 1,
        _ => throw new NotSupportedException($"tensors of {element} are not used in training graphs"),
    };

    public void Dispose()
    {
        if (disposed)
            return;
        disposed = true;
        Value.Dispose();
        NativeMemory.AlignedFree(memory);
    }
}
