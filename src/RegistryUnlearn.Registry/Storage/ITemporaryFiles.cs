namespace RegistryUnlearn.Registry;

/// <summary>A store with files that are no objects: writings under way, and what killed processes left of theirs.</summary>
public interface ITemporaryFiles
{
    /// <summary>Files that nobody has written to for a time, by their path.</summary>
    IReadOnlyList<ObjectEntry> ListAbandoned(TimeSpan age);

    /// <summary>Removes one of them; harmless when it is gone.</summary>
    void DeleteAbandoned(ObjectEntry file);
}
