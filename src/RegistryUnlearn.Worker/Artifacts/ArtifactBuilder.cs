using System.Globalization;
using System.Runtime.InteropServices;
using RegistryUnlearn.Onnx.Models;
using RegistryUnlearn.Onnx.Proto;
using RegistryUnlearn.Onnx.TrainingArtifacts;
using RegistryUnlearn.Registry;
using RegistryUnlearn.Training.Harmonization;
using RegistryUnlearn.Worker.Files;
using RegistryUnlearn.Worker.Models;

namespace RegistryUnlearn.Worker.Artifacts;

/// <summary>Writes a model's training artifacts into a folder of their own.</summary>
public static class ArtifactBuilder
{
    public const string TrainingFile = "training_model.onnx";
    public const string EvaluationFile = "eval_model.onnx";
    public const string OptimizerFile = "optimizer_model.onnx";
    public const string HarmonizerFile = "harmonizer_model.onnx";
    public const string CheckpointFile = "checkpoint";

    /// <param name="outFolder">Absent, empty, or training artifacts that were written here before and are replaced.</param>
    /// <returns>What was written. The same model always gives the same bytes.</returns>
    /// <exception cref="InputException">The folder holds something else.</exception>
    /// <exception cref="OnnxModelException">The model cannot be trained here.</exception>
    public static ArtifactIndex Build(string modelPath, string outFolder, ArtifactOptions options)
    {
        var replaces = RequireOwn(outFolder);
        using var model = ClassifierModel.Load(modelPath, options.Logits, options.Patterns, open: options.Sizes);
        ArtifactGraphs.RequireUsableNames(model);
        var (training, evaluation) = OnnxModelException.In(
            modelPath, () => (ArtifactGraphs.Training(model), ArtifactGraphs.Evaluation(model)));
        var graphs = new List<(string File, string Role, ModelProto Graph)>
        {
            (TrainingFile, "training", training), (EvaluationFile, "evaluation", evaluation),
            (OptimizerFile, "optimizer", OptimizerGraph.Build(options.Optimizer)),
        };
        if (options.Harmonizer is { } h)
            graphs.Add((HarmonizerFile, "harmonizer", HarmonizerGraph.Build(model.Forward.Parameters, h.Scope, h.Mode)));

        var partial = Staging.PartialOf(Path.TrimEndingDirectorySeparator(outFolder));
        try
        {
            Staging.Writing(outFolder, () => Directory.CreateDirectory(partial));
            foreach (var (file, _, graph) in graphs) ModelFile.Write(graph, Path.Combine(partial, file));
            Staging.Writing(outFolder, () => Parameters(model).Write(Path.Combine(partial, CheckpointFile)));
            var files = graphs.Select(g => (g.File, g.Role)).Append((CheckpointFile, "checkpoint"));
            if (File.Exists(Path.Combine(partial, CheckpointFile + ".data")))
                files = files.Append((CheckpointFile + ".data", "checkpoint"));
            var index = Index(model, training, evaluation, [.. files.Select(f => Describe(partial, f.Item1, f.Item2))]);
            Staging.WriteFile(Path.Combine(partial, ArtifactIndex.FileName), [], stream => stream.Write(index.ToBytes()));
            Staging.Writing(outFolder, () =>
            {
                if (replaces) Directory.Delete(outFolder, recursive: true);
                Directory.Move(partial, Path.GetFullPath(outFolder));
            });
            return index;
        }
        finally
        {
            if (Directory.Exists(partial)) Directory.Delete(partial, recursive: true);
        }
    }

    static bool RequireOwn(string folder)
    {
        if (File.Exists(folder)) throw new InputException(folder, "is a file; name a folder");
        if (!Directory.Exists(folder)) return false;
        if (Directory.EnumerateFileSystemEntries(folder).Any() && !ArtifactIndex.Describes(folder))
            throw new InputException(folder, "is not empty and holds other files than training artifacts; name a new folder");
        return true;
    }

    internal static Checkpoint Parameters(ClassifierModel model) => new(
        [.. model.Forward.Parameters.Select((p, i) => new CheckpointTensor(
            p.Name, TensorProto.Types.DataType.Float, p.Shape, MemoryMarshal.AsBytes(model.Initial[i]).ToArray()))], []);

    static ArtifactIndex Index(ClassifierModel model, ModelProto training, ModelProto evaluation, IReadOnlyList<ArtifactFile> files) => new(
        ArtifactIndex.CurrentFormat, new(Path.GetFileName(model.File.Path), Sha256(model.File.Path)),
        training.OpsetImport.Single(o => o.Domain.Length == 0).Version, training.IrVersion,
        model.Forward.FixedBatch?.ToString(CultureInfo.InvariantCulture) ?? ArtifactGraphs.BatchSymbol, files,
        [.. training.Graph.Input.Select(i => Value(i, model))],
        [.. training.Graph.Output.Select(o => Value(o, model)),
            .. evaluation.Graph.Output.Where(o => o.Name != ArtifactGraphs.Loss).Select(o => Value(o, model))]);

    static ArtifactFile Describe(string folder, string name, string role)
    {
        var path = Path.Combine(folder, name);
        return new(name, role, new FileInfo(path).Length, Sha256(path));
    }

    static ArtifactValue Value(ValueInfoProto value, ClassifierModel model)
    {
        var (role, of) = Role(value.Name, model);
        return new(
            value.Name, role, ((TensorProto.Types.DataType)value.Type.TensorType.ElemType).ToString().ToUpperInvariant(), Shape(value), of);
    }

    static (string Role, string? Of) Role(string name, ClassifierModel model)
    {
        var parameters = model.Forward.Parameters.Select(p => p.Name);
        return name switch
        {
            ArtifactGraphs.Labels => ("labels", null),
            ArtifactGraphs.Loss => ("loss", null),
            OrtTrainingContract.ResetFlag => ("reset", null),
            _ when name == model.Contract.InputName => ("samples", null),
            _ when name == model.Contract.LogitsName => ("logits", null),
            _ when parameters.Contains(name) => ("parameter", null),
            _ when Of(OrtTrainingContract.GradientOutput, "") is { } p => ("gradient", p),
            _ when Of("", OrtTrainingContract.BufferSuffix) is { } p => ("buffer", p),
            _ => ("accumulated", Of("", OrtTrainingContract.AccumulatedSuffix)),
        };

        string? Of(string prefix, string suffix) => parameters.FirstOrDefault(p => name == prefix + p + suffix);
    }

    static string[] Shape(ValueInfoProto value) => [.. value.Type.TensorType.Shape.Dim.Select(d =>
        d.HasDimValue ? d.DimValue.ToString(CultureInfo.InvariantCulture) : d.DimParam)];

    static string Sha256(string path)
    {
        using var stream = File.OpenRead(path);
        return Digest.Of(stream).Hex;
    }
}
