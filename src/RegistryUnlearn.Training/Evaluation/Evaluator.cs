using RegistryUnlearn.Onnx.Graphs;
using RegistryUnlearn.Onnx.Steps;
using RegistryUnlearn.Training.Buffers;
using RegistryUnlearn.Training.Runtime;

namespace RegistryUnlearn.Training.Evaluation;

/// <summary>Fills the inputs of the samples <c>start, start + 1, …</c>, as many as the span has room for.</summary>
public delegate void FillInputs(int start, InputSpan inputs);

/// <summary>Takes the logits of the samples <c>start, start + 1, …</c>, row-major [samples, C] or [samples, P, C].</summary>
public delegate void TakeLogits(int start, ReadOnlySpan<float> logits);

/// <summary>Logits of many samples, batch by batch.</summary>
public sealed class Evaluator : IDisposable
{
    const int DefaultBatch = 128;

    /// <summary>Logits of one batch at most, in floats (256 MiB), where samples have many positions and classes.</summary>
    const long LargestOutput = 1L << 26;

    /// <summary>Parameters above this many floats stay inputs of the graph: a model in memory ends at 2 GiB.</summary>
    const long LargestConstants = 1L << 28;

    readonly ForwardModel model;
    readonly TensorBlock parameters;
    readonly GraphSession session;
    readonly Dictionary<int, BoundStep> steps = [];
    readonly long floatsPerSample;

    Evaluator(ForwardModel model, TensorBlock parameters, bool frozen)
    {
        (this.model, this.parameters) = (model, parameters);
        session = new GraphSession(frozen && parameters.Length <= LargestConstants
            ? StepGraph.Forward(model,
                [.. parameters.Layout.Select((p, i) => Tensors.Of((ReadOnlySpan<float>)parameters[i], [.. p.Shape]))])
            : StepGraph.Forward(model), parameters.Device);
        floatsPerSample = session.Inference.OutputMetadata[StepGraph.Logits].Dimensions.Skip(1).Aggregate(1L, (n, d) => n * Math.Max(d, 1));
    }

    /// <summary>
    /// For many batches at the present values, which become constants that ONNX Runtime packs and folds; they must be in the host's memory.
    /// </summary>
    public static Evaluator Frozen(ForwardModel model, TensorBlock parameters) => new(model, parameters, frozen: true);

    /// <summary>For parameters that change between calls; they are read where they are.</summary>
    public static Evaluator Live(ForwardModel model, TensorBlock parameters) => new(model, parameters, frozen: false);

    /// <summary>Logits, row-major [count, C] or [count, P, C], into the given span.</summary>
    public void Logits(int count, FillInputs fill, Span<float> logits)
    {
        for (var start = 0; start < count; start += BatchOf(count))
            Run(start, count, fill).CopyTo(logits[(logits.Length / count * start)..]);
    }

    /// <summary>Logits batch by batch, for more samples than their logits have room in memory.</summary>
    public void Logits(int count, FillInputs fill, TakeLogits take)
    {
        for (var start = 0; start < count; start += BatchOf(count))
            take(start, Run(start, count, fill));
    }

    int BatchOf(int count) =>
        (int)(model.FixedBatch ?? Math.Min(count, Math.Clamp(LargestOutput / floatsPerSample, 1, DefaultBatch)));

    /// <summary>The logits of the batch that starts at a sample; valid until the next call.</summary>
    ReadOnlySpan<float> Run(int start, int count, FillInputs fill)
    {
        var batch = BatchOf(count);
        var rows = Math.Min(batch, count - start);
        var size = model.FixedBatch is null ? rows : batch;
        var step = At(size);
        var inputs = step["input"].Inputs;
        fill(start, inputs[..(inputs.Length / size * rows)]);
        step.Run();
        var logits = step[StepGraph.Logits].Floats;
        return logits[..(logits.Length / size * rows)];
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
