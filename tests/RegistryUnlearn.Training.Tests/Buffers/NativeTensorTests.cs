using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Microsoft.ML.OnnxRuntime.Tensors;
using RegistryUnlearn.Training.Buffers;

namespace RegistryUnlearn.Training.Tests.Buffers;

public sealed class NativeTensorTests
{
    [Theory]
    [InlineData(new long[0], 1)]
    [InlineData(new long[] { 5 }, 5)]
    [InlineData(new long[] { 2, 3, 4 }, 24)]
    [InlineData(new long[] { 2, 0 }, 0)]
    public unsafe void Starts_as_aligned_zeros(long[] shape, long count)
    {
        using var tensor = new NativeTensor(TensorElementType.Float, shape);
        Assert.Equal(count, tensor.Count);
        Assert.Equal(shape, tensor.Shape);
        Assert.Equal(new float[count], tensor.Floats.ToArray());
        Assert.Equal(0, (nint)Unsafe.AsPointer(ref MemoryMarshal.GetReference(tensor.Floats)) % 64);
    }

    [Fact]
    public void The_OrtValue_is_the_same_memory()
    {
        using var tensor = new NativeTensor(TensorElementType.Int64, 3);
        tensor.Longs[2] = -5;
        Assert.Equal([0, 0, -5], tensor.Value.GetTensorDataAsSpan<long>().ToArray());
    }

    [Fact]
    public void Elements_are_read_as_what_they_are()
    {
        using var tensor = new NativeTensor(TensorElementType.Int64, 3);
        Assert.Equal("the tensor holds Int64, not Float", Assert.Throws<InvalidOperationException>(() => tensor.Floats.Length).Message);
        Assert.Throws<NotSupportedException>(() => new NativeTensor(TensorElementType.String, 1));
        Assert.Throws<OverflowException>(() => new NativeTensor(TensorElementType.Float, long.MaxValue, 2));
    }

    [Fact]
    public void Disposed_memory_cannot_be_reached()
    {
        var tensor = new NativeTensor(TensorElementType.Float, 3);
        tensor.Dispose();
        tensor.Dispose();
        Assert.Throws<ObjectDisposedException>(() => tensor.Floats.Length);
    }
}
