using Google.Protobuf;
using Microsoft.ML.OnnxRuntime;
using RegistryUnlearn.Onnx.Models;
using RegistryUnlearn.Onnx.Proto;
using RegistryUnlearn.Onnx.Runtime;

namespace RegistryUnlearn.Training.Runtime;

/// <summary>A graph loaded into ONNX Runtime, on the thread pool that all sessions share.</summary>
public sealed class GraphSession : IDisposable
{
    /// <param name="constants">Initializers of the graph that are taken from this memory instead of the model; kept by reference.</param>
    /// <exception cref="OnnxModelException">ONNX Runtime does not accept the graph.</exception>
    public GraphSession(ModelProto graph, IEnumerable<(string Name, OrtValue Value)>? constants = null)
    {
        using var options = OrtRuntime.NewOptions();
        foreach (var (name, value) in constants ?? [])
            options.AddInitializer(name, value);
        try
        {
            Inference = new InferenceSession(graph.ToByteArray(), options);
        }
        catch (OnnxRuntimeException e)
        {
            throw new OnnxModelException($"ONNX Runtime does not accept the graph: {e.Message}", e);
        }
    }

    internal InferenceSession Inference { get; }

    public void Dispose() => Inference.Dispose();
}
