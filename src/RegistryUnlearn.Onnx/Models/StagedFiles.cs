namespace RegistryUnlearn.Onnx.Models;

/// <summary>
/// Files that appear together: written below a temporary subfolder, moved to their names by <see cref="Publish"/> in the order added.
/// Without Publish, or if it fails, nothing of them stays.
/// </summary>
sealed class StagedFiles : IDisposable
{
    /// <summary>How the temporary subfolder's name begins; no staged file may lie in one of that name.</summary>
    public const string FolderPrefix = ".registry-unlearn-partial-";

    readonly string folder;
    readonly string staging;
    readonly List<string> relativePaths = [];

    /// <param name="folder">Where the files shall appear.</param>
    /// <param name="label">Tells writers of the same folder apart; a valid file name.</param>
    public StagedFiles(string folder, string label)
    {
        this.folder = folder;
        staging = Path.Combine(folder, FolderPrefix + label);
        Discard();
        Directory.CreateDirectory(staging);
    }

    /// <summary>Where to write the file of this relative path until it is published.</summary>
    public string Add(string relativePath)
    {
        relativePaths.Add(relativePath);
        var path = Path.Combine(staging, relativePath);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        return path;
    }

    /// <summary>Moves the files to their names, replacing files that have them.</summary>
    public void Publish()
    {
        var published = new List<string>();
        try
        {
            foreach (var relativePath in relativePaths)
            {
                var target = Path.Combine(folder, relativePath);
                Directory.CreateDirectory(Path.GetDirectoryName(target)!);
                File.Move(Path.Combine(staging, relativePath), target, overwrite: true);
                published.Add(target);
            }
        }
        catch
        {
            published.ForEach(File.Delete);
            throw;
        }
    }

    public void Dispose() => Discard();

    void Discard()
    {
        if (Directory.Exists(staging)) Directory.Delete(staging, recursive: true);
    }
}
