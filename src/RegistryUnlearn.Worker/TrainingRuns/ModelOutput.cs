using RegistryUnlearn.Training.Buffers;
using RegistryUnlearn.Worker.Files;
using RegistryUnlearn.Worker.Models;

namespace RegistryUnlearn.Worker.TrainingRuns;

/// <summary>Writes a model with other parameters to a path of its own name.</summary>
static class ModelOutput
{
    /// <summary>Checks, before any training, that the result can be written.</summary>
    /// <exception cref="InputException">The path is an input or a folder, or its data files would fall onto the model's.</exception>
    public static void RequireWritable(ClassifierModel model, string path, IEnumerable<string> inputs)
    {
        Staging.RequireOtherThan(path, inputs.Prepend(model.File.Path));
        if (model.File.ExternalDataFiles.Count > 0 && FolderOf(path) == FolderOf(model.File.Path))
            throw new InputException(path, "lies in the folder of the model, whose data files would be overwritten; name another folder");
    }

    /// <summary>Data files keep their names and come first, the model file last.</summary>
    public static void Write(ClassifierModel model, TensorBlock parameters, string path)
    {
        var partial = Staging.PartialOf(path);
        try
        {
            Staging.Writing(path, () => Fill(model, parameters, path, partial));
        }
        finally
        {
            if (Directory.Exists(partial)) Directory.Delete(partial, recursive: true);
        }
    }

    static void Fill(ClassifierModel model, TensorBlock parameters, string path, string partial)
    {
        model.File.SaveWithParameters(partial,
            Enumerable.Range(0, parameters.TensorCount).ToDictionary(
                i => parameters.Layout[i].Name, i => (ReadOnlyMemory<float>)parameters[i].ToArray()),
            new Dictionary<string, string>());
        foreach (var file in model.File.ExternalDataFiles)
        {
            var target = Path.Combine(FolderOf(path), file);
            Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            File.Move(Path.Combine(partial, file), target, overwrite: true);
        }
        File.Move(Path.Combine(partial, Path.GetFileName(model.File.Path)), path, overwrite: true);
    }

    static string FolderOf(string path) => Path.GetDirectoryName(Path.GetFullPath(path))!;
}
