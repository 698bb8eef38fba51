namespace RegistryUnlearn.Onnx.Models;

/// <summary>A model that cannot be used as it is: bad input, exit code 2. The message reads "file: element: problem. Remedy".</summary>
public sealed class OnnxModelException(string file, string element, string problem, string remedy, Exception? inner = null)
    : Exception($"{file}: {element}: {problem}. {remedy}", inner)
{
    /// <summary>Path of the model file, as the caller gave it.</summary>
    public string File { get; } = file;

    /// <summary>The node, initializer or field at fault.</summary>
    public string Element { get; } = element;

    /// <summary>What to do about it, a whole sentence.</summary>
    public string Remedy { get; } = remedy;
}
