using Microsoft.ML.OnnxRuntime;
using RegistryUnlearn.Onnx.Losses;
using RegistryUnlearn.Onnx.Proto;
using RegistryUnlearn.Training.Runtime;
using RegistryUnlearn.Unlearning.Data;
using RegistryUnlearn.Worker.Models;

namespace RegistryUnlearn.Worker.Inspection;

/// <summary>Reads the arrays of an .npz file and collects what is wrong with them.</summary>
sealed class BatchReader(NpzReader file, List<string> errors)
{
    /// <summary>An array that must be there; null, and an error, if it is not or cannot be read.</summary>
    public NpyArray? Find(string name)
    {
        try
        {
            return file.Read(name);
        }
        catch (DataException e)
        {
            errors.Add(e.Message[(e.File.Length + ": ".Length)..].TrimEnd('.'));
            return null;
        }
    }

    /// <summary>Finite float32 values of the given shape; null, and an error, otherwise.</summary>
    /// <param name="shape">The wanted shape; -1 for a dimension of any size.</param>
    public NpyArray? Floats(string name, params IReadOnlyList<long> shape)
    {
        if (Find(name) is not { } array) return null;
        if (array.ElementType is not NpyElementType.Float32) return Refuse(name, $"holds {array.ElementType}; save it as float32");
        if (!Fits(array, shape)) return Refuse(name, $"has shape {Text(array.Shape)}; give {Text(shape)}");
        var values = array.Values<float>();
        for (var i = 0; i < values.Length; i++)
            if (!float.IsFinite(values[i])) return Refuse(name, $"element {i} is not finite; repair or remove it");
        return array;
    }

    /// <summary>The samples and labels of one batch; null, and errors, where something is wrong.</summary>
    public Batch? Batch(string prefix, ClassifierModel model)
    {
        long[] shape = [-1, .. model.Forward.SampleShape];
        var inputName = prefix + "input";
        var input = model.Forward.InputElement is TensorProto.Types.DataType.Float ? Floats(inputName, shape) : Integers(inputName, shape);
        var layout = model.Forward.Layout;
        if (Integers(prefix + "labels", [-1, .. layout.Positions]) is not { } labels || input is null) return null;
        var count = input.Shape[0];
        if (count == 0)
            return Refused(inputName, "holds no sample; give at least one");
        if (labels.Shape[0] != count)
            return Refused(prefix + "labels", layout.IsPerSample
                ? $"has {labels.Count} labels for {count} samples; give one label per sample"
                : $"has labels for {labels.Shape[0]} of {count} samples; give labels for every sample");
        if (model.Forward.FixedBatch is { } batch && batch != count)
            return Refused(inputName, $"has {count} samples, but the model takes batches of exactly {batch}; "
                + $"give {batch} samples or export the model with a dynamic batch dimension");
        var values = labels.ToInt64s();
        for (var i = 0; i < values.Length; i++)
            if ((values[i] < 0 || values[i] >= model.Classes) && (layout.IsPerSample || values[i] != LabelledLogits.Ignored))
                return Refused(prefix + "labels", $"label {i} is {values[i]}; the model's classes are 0 to {model.Classes - 1}"
                    + (layout.IsPerSample ? "" : $", and {LabelledLogits.Ignored} marks a position that does not count"));
        if (values.All(v => v < 0))
            return Refused(prefix + "labels", "labels no position; give at least one label");
        return new(input, values, (int)count);
    }

    NpyArray? Integers(string name, params IReadOnlyList<long> shape)
    {
        if (Find(name) is not { } array) return null;
        if (array.ElementType is not (NpyElementType.Int64 or NpyElementType.Int32 or NpyElementType.Int16 or NpyElementType.Int8
            or NpyElementType.UInt8)) return Refuse(name, $"holds {array.ElementType}; save it as int64");
        return Fits(array, shape) ? array : Refuse(name, $"has shape {Text(array.Shape)}; give {Text(shape)}");
    }

    NpyArray? Refuse(string name, string problem)
    {
        errors.Add($"array '{name}' {problem}");
        return null;
    }

    Batch? Refused(string name, string problem)
    {
        Refuse(name, problem);
        return null;
    }

    static bool Fits(NpyArray array, IReadOnlyList<long> shape) =>
        array.Shape.Count == shape.Count && array.Shape.Zip(shape).All(d => d.Second < 0 || d.First == d.Second);

    static string Text(IReadOnlyList<long> shape) => $"({string.Join(", ", shape.Select(d => d < 0 ? "N" : $"{d}"))})";
}

/// <summary>Samples with their labels, checked against a model.</summary>
/// <param name="Labels">One per sample, or per position of every sample.</param>
/// <param name="Count">N, samples.</param>
sealed record Batch(NpyArray Input, long[] Labels, int Count)
{
    /// <summary>Writes the batch to the inputs <c>{prefix}input</c> and <c>{prefix}labels</c> of a step.</summary>
    public void CopyTo(BoundStep step, string prefix)
    {
        var input = step[prefix + "input"];
        if (Input.ElementType is NpyElementType.Float32)
            Input.Values<float>().CopyTo(input.Floats);
        else if (input.Value.GetTensorTypeAndShape().ElementDataType is Microsoft.ML.OnnxRuntime.Tensors.TensorElementType.Int64)
            Input.ToInt64s().CopyTo(input.Longs);
        else
            CopyTo(input.Value.GetTensorMutableDataAsSpan<int>());
        Labels.CopyTo(step[prefix + "labels"].Longs);
    }

    void CopyTo(Span<int> target)
    {
        var values = Input.ToInt64s();
        for (var i = 0; i < values.Length; i++)
            target[i] = values[i] is >= int.MinValue and <= int.MaxValue and var value ? (int)value
                : throw new InputException(Input.File, $"array '{Input.Name}' element {i} is {values[i]}, beyond the model's INT32 input");
    }

    /// <summary>Runs a step on user data; what ONNX Runtime refuses then, such as tokens without an embedding, is bad input.</summary>
    /// <exception cref="InputException">ONNX Runtime refused the values.</exception>
    public static void Run(BoundStep step, string file)
    {
        try
        {
            step.Run();
        }
        catch (OnnxRuntimeException e)
        {
            throw new InputException(file, $"the model does not run on this batch: {e.Message}", e);
        }
    }
}
