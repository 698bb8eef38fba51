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

    public DeviceMemory(ExecutionDevice device, OrtMemoryInfo info)
    {
        this.device = device;
        var g = new GraphBuilder(GraphBuilder.OldestOpset);
        g.Output("to", g.Input("from", TensorType.Float("n")), TensorType.Float("n"));
        session = new GraphSession(g.Build(), device).Inference;
        binding = session.CreateIoBinding();
        allocator = new OrtAllocator(session, info);
    }

    public OrtMemoryInfo Info => allocator.Info;

    /// <summary>Memory of any content.</summary>
    /// <exception cref="DeviceException">It is more than ONNX Runtime hands out at once.</exception>
    public OrtMemoryAllocation Allocate(long bytes) => bytes <= uint.MaxValue
        ? allocator.Allocate((uint)Math.Max(bytes, 1))
        : throw new DeviceException(
            $"the parameters take {bytes} bytes, {device.Name} holds at most {uint.MaxValue} of them; use --device {ExecutionDevice.Cpu.Name}");

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
