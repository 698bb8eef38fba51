using Microsoft.ML.OnnxRuntime;
using RegistryUnlearn.Onnx.Graphs;
using RegistryUnlearn.Onnx.Models;
using RegistryUnlearn.Training.Runtime;

namespace RegistryUnlearn.Training.Devices;

/// <summary>
/// Where graphs run. Parameters, gradients and batches are in host memory whatever the device; one with memory of its own copies them in
/// and out at every run.
/// </summary>
public sealed class ExecutionDevice
{
    readonly Action<SessionOptions> addProvider;

    internal ExecutionDevice(string name, bool sharesHostMemory, Action<SessionOptions> addProvider) =>
        (Name, SharesHostMemory, this.addProvider) = (name, sharesHostMemory, addProvider);

    public static ExecutionDevice Cpu { get; } = new("cpu", sharesHostMemory: true, _ => { });

    /// <summary>The first CUDA GPU; operators that the provider does not have run on the CPU.</summary>
    public static ExecutionDevice Cuda { get; } = new("cuda", sharesHostMemory: false, CudaProvider.AddTo);

    /// <summary>The device of every session that is not given another; one per process, like the thread pool.</summary>
    public static ExecutionDevice Current { get; private set; } = Cpu;

    public string Name { get; }

    public bool SharesHostMemory { get; }

    /// <summary>Makes a device the current one, before the first session is opened.</summary>
    /// <exception cref="DeviceException">There is none of this name, or it does not run a graph here.</exception>
    public static void Use(string name)
    {
        var device = new[] { Cpu, Cuda }.FirstOrDefault(d => d.Name == name)
            ?? throw new DeviceException($"there is no device '{name}'; give {Cpu.Name} or {Cuda.Name}");
        if (device != Current) device.RequireRuns();
        Current = device;
    }

    /// <exception cref="DeviceException">The build has no provider for this device.</exception>
    internal void AddTo(SessionOptions options) => addProvider(options);

    /// <summary>A provider that is there may still lack its libraries or its GPU: the first session shows it.</summary>
    void RequireRuns()
    {
        var g = new GraphBuilder(GraphBuilder.OldestOpset);
        g.Output("y", g.Add("Relu", [g.Input("x", TensorType.Float(1))]));
        try
        {
            using var session = new GraphSession(g.Build(), this);
        }
        catch (OnnxModelException e)
        {
            throw new DeviceException($"the device {Name} does not run here: {e.Message}", e);
        }
    }
}
