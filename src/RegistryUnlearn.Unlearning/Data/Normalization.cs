using System.Numerics.Tensors;

namespace RegistryUnlearn.Unlearning.Data;

/// <summary>Turns stored inputs into the network's: (x / scale − mean) / std, per channel (axis 1) or the same for all.</summary>
public sealed class Normalization
{
    /// <summary>Inputs as they are stored.</summary>
    public static readonly Normalization None = new(1, [0], [1]);

    readonly float[] mean;
    readonly float[] std;

    /// <param name="scale">Divides the stored values, for example 255; finite, not zero.</param>
    /// <param name="mean">One value for all channels, or one per channel.</param>
    /// <param name="std">As many values as <paramref name="mean"/>, all positive.</param>
    /// <exception cref="DataException">A value is out of its range, or the counts differ.</exception>
    public Normalization(float scale, ReadOnlySpan<float> mean, ReadOnlySpan<float> std)
    {
        if (!float.IsFinite(scale) || scale is 0)
            throw Invalid("scale is zero or not finite", "give the largest stored value, for example 255");
        if (mean.IsEmpty || mean.Length != std.Length)
        {
            throw Invalid($"there are {mean.Length} means and {std.Length} standard deviations",
                "give one of each, or one of each per channel");
        }

        foreach (var value in mean)
        {
            if (!float.IsFinite(value))
                throw Invalid("a mean is not finite", "give the means of the training data");
        }

        foreach (var value in std)
        {
            if (!float.IsFinite(value) || value <= 0)
                throw Invalid("a standard deviation is not positive", "give the standard deviations of the training data");
        }

        (Scale, this.mean, this.std) = (scale, mean.ToArray(), std.ToArray());
    }

    public float Scale { get; }

    public ReadOnlySpan<float> Mean => mean;

    public ReadOnlySpan<float> Std => std;

    /// <summary>Whether one mean and standard deviation serve all channels.</summary>
    public bool IsScalar => mean.Length is 1;

    /// <summary>Whether inputs stay as they are stored.</summary>
    public bool IsIdentity => Scale is 1 && !mean.AsSpan().ContainsAnyExcept(0f) && !std.AsSpan().ContainsAnyExcept(1f);

    /// <summary>The input of a stored value; exact to float32 rounding.</summary>
    public float Apply(float stored, int channel)
    {
        var c = IsScalar ? 0 : channel;
        return (float)((((double)stored / Scale) - mean[c]) / std[c]);
    }

    /// <summary>Normalises the values of one channel; the spans have equal lengths.</summary>
    internal void Apply(ReadOnlySpan<float> stored, int channel, Span<float> inputs)
    {
        var c = IsScalar ? 0 : channel;
        TensorPrimitives.Divide(stored, Scale, inputs);
        TensorPrimitives.Subtract(inputs, mean[c], inputs);
        TensorPrimitives.Divide(inputs, std[c], inputs);
    }

    static DataException Invalid(string problem, string remedy) => new("normalization", null, problem, remedy);
}
