namespace RegistryUnlearn.Unlearning.Data;

/// <summary>How the arrays of a data set are named and normalised. An optional array that is named here must exist.</summary>
public sealed record DataSetOptions
{
    /// <summary>Inputs, N×…, uint8 or float32; int64 or int32 for tokens.</summary>
    /// <value>The default is <c>x</c>.</value>
    public string Inputs { get; init; } = "x";

    /// <summary>Labels trained on, N integers; N×… where each position of a sample has one, −100 for none.</summary>
    /// <value>The default is <c>y</c>.</value>
    public string Labels { get; init; } = "y";

    /// <summary>Sample ids, N distinct texts or integers.</summary>
    /// <value>The default null takes <c>id</c> when the file has it and numbers the rows from 0 otherwise.</value>
    public string? Ids { get; init; }

    /// <summary>Correct labels, where the ones trained on may be wrong; shaped like the labels.</summary>
    /// <value>The default null takes <c>y_true</c> when the file has it.</value>
    public string? TrueLabels { get; init; }

    /// <summary>Group of each sample, for example the person it came from; N integers.</summary>
    /// <value>The default null takes <c>group</c> when the file has it.</value>
    public string? Groups { get; init; }

    /// <value>The default leaves the inputs as they are stored.</value>
    public Normalization Normalization { get; init; } = Normalization.None;
}
