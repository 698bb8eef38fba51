using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;
using RegistryUnlearn.Onnx.Graphs;
using RegistryUnlearn.Onnx.Models;
using RegistryUnlearn.Training.Buffers;

namespace RegistryUnlearn.Training.Evaluation;

/// <summary>Whether a model whose batch was made free answers for every sample as the model with the fixed batch does.</summary>
public static class BatchCheck
{
    const float Tolerance = 1e-4f;

    /// <summary>
    /// Runs both on the same made-up samples, more than one fixed batch and no multiple of it, and compares the logits relative to the
    /// largest. A copy that does not run or whose samples influence each other is refused.
    /// </summary>
    /// <param name="parameters">Of both.</param>
    public static bool Agree(ForwardModel fixedBatch, ForwardModel free, TensorBlock parameters)
    {
        var count = checked((int)(2 * (fixedBatch.FixedBatch ?? throw new ArgumentException("takes any batch", nameof(fixedBatch))) + 1));
        var size = checked((int)fixedBatch.SampleShape.Aggregate(1L, (n, d) => n * d));
        try
        {
            var expected = Logits(fixedBatch);
            var actual = Logits(free);
            var largest = expected.Max(Math.Abs);
            return expected.Length == actual.Length && float.IsFinite(largest)
                && expected.Zip(actual).All(p => Math.Abs(p.First - p.Second) <= Tolerance * Math.Max(largest, 1e-6f));
        }
        catch (Exception e) when (e is OnnxRuntimeException or OnnxModelException or ArgumentException)
        {
            return false;
        }

        float[] Logits(ForwardModel model)
        {
            using var evaluator = Evaluator.Live(model, parameters);
            var logits = new List<float>();
            evaluator.Logits(count, (start, inputs) => Fill(start * size, inputs), (_, batch) => logits.AddRange(batch));
            return [.. logits];
        }
    }

    /// <summary>Numbers between −1 and 1, or the tokens 0 and 1, that no two samples share.</summary>
    /// <param name="start">Values before the first one.</param>
    static void Fill(int start, InputSpan inputs)
    {
        for (var i = 0; i < inputs.Length; i++)
        {
            var wave = (float)Math.Sin(0.7 + 1.3 * (start + i));
            switch (inputs.Element)
            {
                case TensorElementType.Int64: inputs.Longs[i] = wave > 0 ? 1 : 0; break;
                case TensorElementType.Int32: inputs.Ints[i] = wave > 0 ? 1 : 0; break;
                default: inputs.Floats[i] = wave; break;
            }
        }
    }
}
