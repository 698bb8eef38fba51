namespace RegistryUnlearn.Unlearning.Data;

/// <summary>
/// The data given by the user cannot be used (exit code 2). The message names the file, the array and the remedy.
/// It never holds a sample id: ids of forgotten samples must not survive in messages or logs.
/// </summary>
public sealed class DataException : Exception
{
    /// <param name="file">The file, or what stands for it.</param>
    /// <param name="array">The array in the file; null when the file as a whole is meant.</param>
    /// <param name="problem">What is wrong, without a final stop.</param>
    /// <param name="remedy">What the user can do, without a final stop.</param>
    /// <param name="inner">The cause, if another exception revealed it.</param>
    public DataException(string file, string? array, string problem, string remedy, Exception? inner = null)
        : base(Printable(array is null ? $"{file}: {problem}; {remedy}." : $"{file}: array '{array}': {problem}; {remedy}."), inner)
    {
        File = file;
        Array = array;
    }

    public string File { get; }

    public string? Array { get; }

    /// <summary>Array names come from the file: control characters in them must not reach a terminal or forge log lines.</summary>
    static string Printable(string text) =>
        string.Create(text.Length, text, static (target, source) =>
        {
            for (var i = 0; i < target.Length; i++)
                target[i] = char.IsControl(source[i]) ? '?' : source[i];
        });
}
