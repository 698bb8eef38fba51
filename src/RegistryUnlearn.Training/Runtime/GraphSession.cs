using Google.Protobuf;
using Microsoft.ML.OnnxRuntime;
using RegistryUnlearn.Onnx.Models;
using RegistryUnlearn.Onnx.Proto;
using RegistryUnlearn.Onnx.Runtime;

namespace RegistryUnlearn.Training.Runtime;

/// <summary>A graph loaded into ONNX Runtime, on the thread pool that all sessions share.</summary>
public sealed class GraphSession : IDisposable
{
    /// <exception cref="OnnxModelException">ONNX Runtime does not accept the graph.</exception>
    public GraphSession(ModelProto graph)
    {
        using var options = OrtRuntime.NewOptions();
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
