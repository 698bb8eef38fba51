using System.Numerics.Tensors;
using Microsoft.ML.OnnxRuntime.Tensors;
using RegistryUnlearn.Training.Buffers;

namespace RegistryUnlearn.Unlearning.Data;

/// <summary>
/// The inputs of a data set as they are stored: uint8 or float32, normalised when read, or tokens (int64 or int32), read as they are.
/// </summary>
sealed class SampleInputs
{
    readonly NpyArray array;
    readonly Normalization normalization;

    /// <summary>Network input of every uint8 value, 256 per channel; empty for float32.</summary>
    readonly float[] table = [];

    public SampleInputs(NpyArray array, Normalization normalization)
    {
        (this.array, this.normalization) = (array, normalization);
        if (array.Shape.Count < 2 || array.Count is 0)
            throw array.Unusable($"its shape is ({string.Join(", ", array.Shape)})", "save the inputs as N×…, at least one sample");
        Count = (int)array.Shape[0];
        SampleSize = array.Count / Count;
        SampleShape = [.. array.Shape.Skip(1).Select(dimension => (int)dimension)];
        Channels = normalization.IsScalar ? 1 : SampleShape[0];
        if (!normalization.IsScalar && normalization.Mean.Length != Channels)
        {
            throw array.Unusable($"it has {Channels} channels (axis 1) but {normalization.Mean.Length} means are given",
                "give one mean and standard deviation per channel, or one for all");
        }

        switch (array.ElementType)
        {
            case NpyElementType.Int64 or NpyElementType.Int32:
                if (!normalization.IsIdentity)
                    throw array.Unusable("it holds tokens, which are not normalised", "leave scale, mean and std out");
                HoldsTokens = true;
                break;
            case NpyElementType.UInt8:
                table = new float[256 * Channels];
                for (var i = 0; i < table.Length; i++)
                    table[i] = normalization.Apply(i % 256, i / 256);
                break;
            case NpyElementType.Float32:
                RequireFinite();
                break;
            default:
                throw array.Unusable($"it holds {array.ElementType}", "save the inputs as uint8 or float32, or tokens as int64 or int32");
        }
    }

    public int Count { get; }

    public int SampleSize { get; }

    public int[] SampleShape { get; }

    public bool HoldsTokens { get; }

    int Channels { get; }

    /// <summary>Whether all tokens are int32 values.</summary>
    public bool FitsInt32 => array.ElementType is not NpyElementType.Int64
        || !array.Values<long>().ContainsAnyExceptInRange(int.MinValue, int.MaxValue);

    /// <param name="inputs">Of floats; of int64 or int32 for tokens.</param>
    public void Read(int row, InputSpan inputs)
    {
        if (HoldsTokens)
        {
            ReadTokens(row * SampleSize, inputs);
            return;
        }

        var target = inputs.Floats;
        var size = SampleSize / Channels;
        for (var channel = 0; channel < Channels; channel++)
        {
            var start = (row * SampleSize) + (channel * size);
            var values = target.Slice(channel * size, size);
            if (table.Length is 0)
            {
                normalization.Apply(array.Values<float>().Slice(start, size), channel, values);
                continue;
            }

            var stored = array.Values<byte>().Slice(start, size);
            var lookup = table.AsSpan(256 * channel, 256);
            for (var i = 0; i < values.Length; i++)
                values[i] = lookup[stored[i]];
        }
    }

    void ReadTokens(int start, InputSpan target)
    {
        if (array.ElementType is NpyElementType.Int64)
        {
            var stored = array.Values<long>().Slice(start, SampleSize);
            if (target.Element is TensorElementType.Int64)
                stored.CopyTo(target.Longs);
            else
                TensorPrimitives.ConvertChecked(stored, target.Ints);
            return;
        }

        var narrow = array.Values<int>().Slice(start, SampleSize);
        if (target.Element is TensorElementType.Int64)
            TensorPrimitives.ConvertChecked(narrow, target.Longs);
        else
            narrow.CopyTo(target.Ints);
    }

    void RequireFinite()
    {
        var values = array.Values<float>();
        for (var i = 0; i < values.Length; i++)
        {
            if (!float.IsFinite(values[i]))
                throw array.Unusable($"row {i / SampleSize} holds a value that is not finite", "repair or remove this sample");
        }
    }

    /// <summary>Rows that a standard deviation is measured on at most.</summary>
    const int SpreadRows = 1024;

    /// <summary>[SampleSize]: standard deviation of every value, over evenly spaced rows.</summary>
    public float[] MeasureSpread()
    {
        var (row, mean, square) = (new float[SampleSize], new double[SampleSize], new double[SampleSize]);
        var rows = Math.Min(Count, SpreadRows);
        for (var r = 0; r < rows; r++)
        {
            Read((int)((long)r * Count / rows), row);
            for (var i = 0; i < row.Length; i++)
            {
                // Welford's recurrence: large means do not eat the variance.
                var difference = row[i] - mean[i];
                mean[i] += difference / (r + 1);
                square[i] += difference * (row[i] - mean[i]);
            }
        }
        return [.. square.Select(s => (float)Math.Sqrt(s / rows))];
    }
}
