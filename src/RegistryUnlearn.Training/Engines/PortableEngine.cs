using RegistryUnlearn.Onnx.Models;
using RegistryUnlearn.Onnx.Proto;
using RegistryUnlearn.Onnx.Steps;
using RegistryUnlearn.Training.Buffers;
using RegistryUnlearn.Training.Runtime;

namespace RegistryUnlearn.Training.Engines;

/// <summary>Runs a graph that <see cref="StepGraph.FirstOrder"/> made, with int64 inputs <c>labels</c>, where the parameters are.</summary>
public sealed class PortableEngine : IGradientEngine
{
    readonly GraphSession session;
    readonly TensorBlock parameters;
    readonly TensorBlock gradients;
    readonly Dictionary<int, BoundStep> steps = [];

    /// <exception cref="OnnxModelException">ONNX Runtime does not accept the graph.</exception>
    public PortableEngine(ModelProto graph, TensorBlock parameters, TensorBlock gradients)
    {
        (this.parameters, this.gradients) = (parameters, gradients);
        session = new GraphSession(graph, parameters.Device);
    }

    public InputSpan Inputs(int rows) => At(rows)["input"].Inputs;

    public Span<long> Labels(int rows) => At(rows)["labels"].Longs;

    public float Run(int rows)
    {
        var step = At(rows);
        step.Run();
        return step.Scalar(StepGraph.Loss);
    }

    BoundStep At(int rows)
    {
        if (!steps.TryGetValue(rows, out var step))
            steps[rows] = step = new BoundStep(session, _ => rows, parameters, gradients, unread: StepGraph.Logits);
        return step;
    }

    public void Dispose()
    {
        foreach (var step in steps.Values)
            step.Dispose();
        session.Dispose();
    }
}
