namespace RegistryUnlearn.Onnx.Models;

/// <summary>A model that cannot be used as it is: bad input, exit code 2. The message says what, where and what to do.</summary>
public sealed class OnnxModelException : Exception
{
    /// <summary>Something in a graph whose file the caller knows.</summary>
    public OnnxModelException(string message, Exception? inner = null) : base(message, inner)
    {
    }

    /// <summary>Something in a file; the message reads "file: element: problem. Remedy".</summary>
    /// <param name="file">Path of the model file, as the caller gave it.</param>
    /// <param name="element">The node, initializer or field at fault.</param>
    /// <param name="remedy">What to do about it, a whole sentence.</param>
    public OnnxModelException(string file, string element, string problem, string remedy, Exception? inner = null)
        : base($"{file}: {element}: {problem}. {remedy}", inner) => (File, Element, Remedy) = (file, element, remedy);

    OnnxModelException(string file, OnnxModelException inner) : base($"{file}: {inner.Message}", inner) => File = file;

    public string? File { get; }

    public string? Element { get; }

    public string? Remedy { get; }

    /// <summary>Runs what knows the graph but not its file, and puts the file's path before its complaint.</summary>
    public static T In<T>(string file, Func<T> work)
    {
        try
        {
            return work();
        }
        catch (OnnxModelException e) when (e.File is null)
        {
            throw new OnnxModelException(file, e);
        }
    }
}
