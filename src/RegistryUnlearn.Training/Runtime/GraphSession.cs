using Microsoft.ML.OnnxRuntime;
using RegistryUnlearn.Onnx.Models;
using RegistryUnlearn.Onnx.Proto;
using RegistryUnlearn.Onnx.Runtime;
using RegistryUnlearn.Training.Devices;

namespace RegistryUnlearn.Training.Runtime;

/// <summary>A graph loaded into ONNX Runtime, on the thread pool that all sessions share.</summary>
public sealed class GraphSession : IDisposable
{
    readonly SharedArena arena = SharedArena.Enter();

    /// <param name="device">Null for the current one.</param>
    /// <exception cref="OnnxModelException">ONNX Runtime does not accept the graph.</exception>
    /// <exception cref="DeviceException">The build has no provider for the device.</exception>
    public GraphSession(ModelProto graph, ExecutionDevice? device = null)
    {
        Device = device ?? ExecutionDevice.Current;
        try
        {
            Inference = OrtRuntime.Load(graph, options =>
            {
                options.GraphOptimizationLevel = OrtRuntime.OptimizationFor(graph);
                Device.AddTo(options);
            });
        }
        catch
        {
            arena.Dispose();
            throw;
        }
    }

    public ExecutionDevice Device { get; }

    internal InferenceSession Inference { get; }

    public void Dispose()
    {
        Inference.Dispose();
        arena.Dispose();
    }
}
