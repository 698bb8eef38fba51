using Microsoft.ML.OnnxRuntime;
using RegistryUnlearn.Onnx.Graphs;
using RegistryUnlearn.Onnx.Models;
using RegistryUnlearn.Training.Runtime;

namespace RegistryUnlearn.Training.Devices;

/// <summary>Where graphs run, and where the blocks of a run are: in the host's memory or in the device's own.</summary>
public sealed class ExecutionDevice
{
    readonly Action<SessionOptions> addProvider;
    readonly Lazy<DeviceMemory>? memory;

    /// <param name="memory">Which memory of its provider is the device's own; null where it works in the host's.</param>
    internal ExecutionDevice(string name, Action<SessionOptions> addProvider, Func<OrtMemoryInfo>? memory = null)
    {
        (Name, this.addProvider) = (name, addProvider);
        this.memory = memory is null ? null : new(() => new DeviceMemory(this, memory()));
    }

    public static ExecutionDevice Cpu { get; } = new("cpu", _ => { });

    /// <summary>The first CUDA GPU; operators that the provider does not have run on the CPU.</summary>
    public static ExecutionDevice Cuda { get; } = new("cuda", CudaProvider.AddTo, CudaProvider.Memory);

    /// <summary>The device of every session that is not given another; one per process, like the thread pool.</summary>
    public static ExecutionDevice Current { get; private set; } = Cpu;

    public string Name { get; }

    public bool SharesHostMemory => memory is null;

    /// <summary>The device's own memory; there for the rest of the process once it was asked for.</summary>
    /// <exception cref="DeviceException">The build has no provider for this device.</exception>
    internal DeviceMemory Memory => memory?.Value ?? throw new InvalidOperationException($"{Name} has no memory of its own");

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
