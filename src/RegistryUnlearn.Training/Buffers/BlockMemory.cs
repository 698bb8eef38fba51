using System.Runtime.InteropServices;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;
using RegistryUnlearn.Training.Devices;

namespace RegistryUnlearn.Training.Buffers;

/// <summary>Floats in the memory of the host or of a device, and views of them as ONNX Runtime sees them.</summary>
sealed unsafe class BlockMemory : IDisposable
{
    const int Alignment = 64;

    readonly OrtMemoryAllocation? lent;
    readonly OrtMemoryInfo info;
    readonly List<OrtValue> views = [];

    /// <summary>Memory of zeros in the host, of any content on a device.</summary>
    /// <param name="device">One with memory of its own; null for the host.</param>
    public BlockMemory(long floats, ExecutionDevice? device)
    {
        var bytes = checked(floats * sizeof(float));
        if (device is not null)
        {
            lent = device.Memory.Allocate(bytes);
            Start = (float*)lent.DangerousGetHandle();
            info = device.Memory.Info;
            return;
        }
        Start = (float*)NativeMemory.AlignedAlloc((nuint)Math.Max(bytes, 1), Alignment);
        info = OrtMemoryInfo.DefaultInstance;
        NativeMemory.Clear(Start, (nuint)bytes);
    }

    /// <summary>An address of the device where the memory is the device's.</summary>
    public float* Start { get; }

    /// <summary>A tensor inside this memory; valid as long as the memory is.</summary>
    public OrtValue View(long offset, IReadOnlyList<long> shape)
    {
        var bytes = shape.Aggregate(1L, (n, d) => n * d) * sizeof(float);
        var view = OrtValue.CreateTensorValueWithData(info, TensorElementType.Float, [.. shape], (nint)(Start + offset), bytes);
        views.Add(view);
        return view;
    }

    public void Dispose()
    {
        foreach (var view in views)
            view.Dispose();
        if (lent is null) NativeMemory.AlignedFree(Start);
        else lent.Dispose();
    }
}
