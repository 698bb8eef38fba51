using System.Text;

namespace RegistryUnlearn.Registry;

/// <summary>
/// Object paths: segments joined by '/', 1 to 1024 characters in all. A segment has 1 to 255 UTF-8 bytes, no control character or
/// backslash, is not '.' or '..', and does not end in a dot or a space (which some stores drop).
/// </summary>
public static class ObjectPath
{
    static readonly UTF8Encoding Utf8 = new(false, throwOnInvalidBytes: true);

    /// <summary>The path itself.</summary>
    /// <exception cref="RegistryException">Invalid: the path breaks the rule.</exception>
    public static string Check(string path)
    {
        ArgumentNullException.ThrowIfNull(path);
        if (path.Length is 0 or > 1024)
            throw Invalid(path, "a path has 1 to 1024 characters");
        foreach (var segment in path.Split('/'))
        {
            if (segment.Length is 0)
                throw Invalid(path, "a path is relative and has no empty segment");
            if (segment is "." or "..")
                throw Invalid(path, "a path must not step out of its folder");
            if (segment.Any(c => char.IsControl(c) || c is '\\'))
                throw Invalid(path, "a path holds no control character and no backslash");
            if (segment[^1] is '.' or ' ')
                throw Invalid(path, "a path segment must not end in a dot or a space");
            if (ByteCount(path, segment) > 255)
                throw Invalid(path, "a path segment has at most 255 bytes");
        }
        return path;
    }

    /// <summary>The folder itself: empty, or a path followed by '/'.</summary>
    /// <exception cref="RegistryException">Invalid: the folder breaks the rule.</exception>
    public static string CheckFolder(string folder)
    {
        ArgumentNullException.ThrowIfNull(folder);
        if (folder.Length is 0)
            return folder;
        if (folder[^1] is not '/')
            throw Invalid(folder, "a folder ends in '/'");
        Check(folder[..^1]);
        return folder;
    }

    static int ByteCount(string path, string segment)
    {
        try
        {
            return Utf8.GetByteCount(segment);
        }
        catch (EncoderFallbackException)
        {
            throw Invalid(path, "a path is valid Unicode");
        }
    }

    static RegistryException Invalid(string path, string rule)
    {
        var shown = string.Concat(path.Take(200).Select(c => char.IsControl(c) || char.IsSurrogate(c) ? '?' : c));
        return new(RegistryErrorKind.Invalid, shown, $"{rule}. Rename it.");
    }
}
