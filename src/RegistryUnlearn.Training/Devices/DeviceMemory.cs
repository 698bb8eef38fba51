using Microsoft.ML.OnnxRuntime;
using RegistryUnlearn.Onnx.Graphs;
using RegistryUnlearn.Training.Runtime;

namespace RegistryUnlearn.Training.Devices;

/// <summary>
/// Memory of a device that the host cannot read. Copies into it, out of it and within it are runs of a graph with one Identity, since
/// every release of ONNX Runtime moves bound values to where they are used, and not all have a call of their own for copies.
/// </summary>
sealed class DeviceMemory
{
    readonly ExecutionDevice device;
    readonly OrtAllocator allocator;
    readonly InferenceSession session;
    readonly OrtIoBinding binding;
    readonly RunOptions options = new();
    readonly Lock copying = new();

    /// <exception cref="DeviceException">The build has no provider for the device, or the provider has no such memory.</exception>
    public DeviceMemory(ExecutionDevice device, OrtMemoryInfo info)
    {
        this.device = device;
        var g = new GraphBuilder(GraphBuilder.OldestOpset);
        g.Output("to", g.Input("from", TensorType.Float("n")), TensorType.Float("n"));
        session = new GraphSession(g.Build(), device).Inference;
        binding = session.CreateIoBinding();
        try
        {
            allocator = new OrtAllocator(session, info);
        }
        catch (OnnxRuntimeException e)
        {
            binding.Dispose();
            session.Dispose();
            throw new DeviceException($"the device {device.Name} has no memory that can be asked for: {e.Message}", e);
        }
    }

    public OrtMemoryInfo Info => allocator.Info;

    /// <summary>Memory of any content.</summary>
    /// <exception cref="DeviceException">The device has not as much left, or it is more than ONNX Runtime hands out at once.</exception>
    public OrtMemoryAllocation Allocate(long bytes)
    {
        if (bytes > uint.MaxValue)
            throw TooMuch($"it takes blocks of at most {uint.MaxValue}", null);
        try
        {
            return allocator.Allocate((uint)Math.Max(bytes, 1));
        }
        catch (OnnxRuntimeException e)
        {
            throw TooMuch(e.Message, e);
        }

        DeviceException TooMuch(string why, Exception? inner) => new(
            $"the device {device.Name} has no {bytes} bytes for the parameters ({why}); run on the {ExecutionDevice.Cpu.Name}", inner);
    }

    /// <summary>Copies a vector to one of the same length; either may be in the host's memory.</summary>
    public void Copy(OrtValue from, OrtValue to)
    {
        lock (copying)
        {
            binding.BindInput("from", from);
            binding.BindOutput("to", to);
            binding.SynchronizeBoundInputs();
            session.RunWithBinding(options, binding);
            binding.SynchronizeBoundOutputs();
            binding.ClearBoundInputs();
            binding.ClearBoundOutputs();
        }
    }
}
