namespace RegistryUnlearn.Onnx.Models;

/// <summary>A model that cannot be used as it is: the message names the file or element and what to do about it.</summary>
public sealed class OnnxModelException : Exception
{
    public OnnxModelException(string message) : base(message)
    {
    }

    public OnnxModelException(string message, Exception inner) : base(message, inner)
    {
    }
}
