using RegistryUnlearn.Onnx.Graphs;
using RegistryUnlearn.Onnx.Steps;
using RegistryUnlearn.Training.Buffers;
using RegistryUnlearn.Training.Runtime;

namespace RegistryUnlearn.Training.Evaluation;

/// <summary>Fills the inputs of the samples <c>start, start + 1, …</c>, as many as the span has room for.</summary>
public delegate void FillInputs(int start, Span<float> inputs);

/// <summary>Logits of many samples, batch by batch.</summary>
public sealed class Evaluator : IDisposable
{
    const int DefaultBatch = 128;

    /// <summary>Parameters above this many floats stay inputs of the graph: a model in memory ends at 2 GiB.</summary>
    const long LargestConstants = 1L << 28;

    readonly ForwardModel model;
    readonly TensorBlock parameters;
    readonly GraphSession session;
    readonly Dictionary<int, BoundStep> steps = [];

    Evaluator(ForwardModel model, TensorBlock parameters, bool frozen)
    {
        (this.model, this.parameters) = (model, parameters);
        session = new GraphSession(frozen && parameters.Length <= LargestConstants
            ? StepGraph.Forward(model,
                [.. parameters.Layout.Select((p, i) => Tensors.Of((ReadOnlySpan<float>)parameters[i], [.. p.Shape]))])
            : StepGraph.Forward(model));
    }

    /// <summary>For many batches at the present values, which become constants that ONNX Runtime packs and folds.</summary>
    public static Evaluator Frozen(ForwardModel model, TensorBlock parameters) => new(model, parameters, frozen: true);

    /// <summary>For parameters that change between calls; they are read where they are.</summary>
    public static Evaluator Live(ForwardModel model, TensorBlock parameters) => new(model, parameters, frozen: false);

    /// <summary>Logits, row-major [count, classes], into the given span.</summary>
    public void Logits(int count, FillInputs fill, Span<float> logits)
    {
        if (count == 0)
            return;
        var batch = (int)(model.FixedBatch ?? Math.Min(count, DefaultBatch));
        var classes = logits.Length / count;
        for (var start = 0; start < count; start += batch)
        {
            var rows = Math.Min(batch, count - start);
            var step = At(model.FixedBatch is null ? rows : batch);
            var inputs = step["input"].Floats;
            fill(start, inputs[..(inputs.Length / (model.FixedBatch is null ? rows : batch) * rows)]);
            step.Run();
            step[StepGraph.Logits].Floats[..(rows * classes)].CopyTo(logits[(start * classes)..]);
        }
    }

    BoundStep At(int rows)
    {
        if (!steps.TryGetValue(rows, out var step))
            steps[rows] = step = new BoundStep(session, _ => rows, parameters);
        return step;
    }

    public void Dispose()
    {
        foreach (var step in steps.Values)
            step.Dispose();
        session.Dispose();
    }
}
