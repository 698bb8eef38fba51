namespace RegistryUnlearn.Registry;

/// <summary>Why the registry refused; what a caller decides on (retry, give up, ask the user).</summary>
public enum RegistryErrorKind
{
    /// <summary>The model, version, alias, job or object does not exist.</summary>
    NotFound,

    /// <summary>The version was quarantined or deleted on purpose.</summary>
    Withdrawn,

    /// <summary>A name, path, document or argument breaks its rule.</summary>
    Invalid,

    /// <summary>Stored bytes differ from their recorded digest.</summary>
    Corrupt,

    /// <summary>Something else stands where a write has to go, or the state does not allow the step.</summary>
    Conflict,

    /// <summary>No permission, or a read-only file system.</summary>
    Denied,

    /// <summary>No space left.</summary>
    Full,

    /// <summary>The store did not answer as it should; the same call may succeed later.</summary>
    Unavailable,
}

/// <summary>A refusal by the registry. The message names the path and the remedy.</summary>
public sealed class RegistryException(RegistryErrorKind kind, string path, string message, Exception? inner = null)
    : Exception($"{path}: {message}", inner)
{
    public RegistryErrorKind Kind { get; } = kind;

    /// <summary>What the message is about: an object path, a local path or a reference.</summary>
    public string Path { get; } = path;
}
