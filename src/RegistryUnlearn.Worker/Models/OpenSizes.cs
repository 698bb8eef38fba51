using System.Globalization;
using RegistryUnlearn.Onnx.Models;

namespace RegistryUnlearn.Worker.Models;

/// <summary>Sizes for the dimensions of a sample that a model leaves open, such as the length of its texts.</summary>
/// <param name="Given">
/// By the name that the model gives the dimension, or by its place counted from 0 for the batch; each at least 1.
/// </param>
public sealed record OpenSizes(IReadOnlyDictionary<string, long> Given)
{
    public static OpenSizes None { get; } = new(new Dictionary<string, long>());

    /// <summary>The shape of a sample; null where the model names all sizes itself and none is given.</summary>
    /// <exception cref="OnnxModelException">A size is missing, or given for a dimension that is not open.</exception>
    internal long[]? SampleShape(ModelFile file, ClassifierContract contract)
    {
        var dims = file.Model.Graph.Input.First(i => i.Name == contract.InputName).Type.TensorType.Shape.Dim;
        var open = Enumerable.Range(1, dims.Count - 1).Where(i => contract.InputShape[i] is null).ToList();
        if (Given.Keys.Except(open.SelectMany(Names)).FirstOrDefault() is { } stray)
            throw Bad($"has no open dimension '{stray}'", open.Count > 0 ? $"Open are {Text()}" : "All its sizes but the batch are fixed");
        if (open.Count == 0) return null;
        var sizes = contract.InputShape.Skip(1).Select((size, i) => size ?? Given.Where(g => Names(i + 1).Contains(g.Key))
            .Select(g => (long?)g.Value).FirstOrDefault()).ToList();
        var missing = open.Where(i => sizes[i - 1] is null).Select(i => $"--fix {Names(i)[0]}=128").Distinct();
        return sizes.All(s => s is not null) ? [.. sizes.Select(s => s!.Value)]
            : throw Bad($"leaves dimensions open: {Text()}", $"Give sizes of a sample, as in {string.Join(' ', missing)}");

        string[] Names(int i) => dims[i].DimParam.Length > 0
            ? [dims[i].DimParam, i.ToString(CultureInfo.InvariantCulture)] : [i.ToString(CultureInfo.InvariantCulture)];

        string Text() => string.Join(", ", open.Select(i => $"'{Names(i)[0]}'"));

        OnnxModelException Bad(string problem, string remedy) => new(file.Path, $"input '{contract.InputName}'", problem, remedy);
    }
}
