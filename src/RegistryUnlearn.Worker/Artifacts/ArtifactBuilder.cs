using System.Globalization;
using System.Security.Cryptography;
using RegistryUnlearn.Onnx.Models;
using RegistryUnlearn.Onnx.Proto;
using RegistryUnlearn.Unlearning.Data;
using RegistryUnlearn.Worker.Files;
using RegistryUnlearn.Worker.Models;

namespace RegistryUnlearn.Worker.Artifacts;

/// <summary>Writes a model's training artifacts into a folder of their own.</summary>
public static class ArtifactBuilder
{
    const string TrainingFile = "training_model.onnx";
    const string EvaluationFile = "eval_model.onnx";
    const string ParametersFile = "parameters.npz";

    /// <param name="outFolder">Absent, empty, or training artifacts that were written here before and are replaced.</param>
    /// <returns>What was written. The same model always gives the same bytes.</returns>
    /// <exception cref="InputException">The folder holds something else.</exception>
    /// <exception cref="OnnxModelException">The model cannot be trained here.</exception>
    public static ArtifactIndex Build(string modelPath, string outFolder, LogitChoice logits, ParameterPatterns? patterns)
    {
        var replaces = RequireOwn(outFolder);
        using var model = ClassifierModel.Load(modelPath, logits, patterns);
        ArtifactGraphs.RequireUsableNames(model);
        var (training, evaluation) = ClassifierModel.InFile(
            modelPath, () => (ArtifactGraphs.Training(model), ArtifactGraphs.Evaluation(model)));

        var partial = Staging.PartialOf(Path.TrimEndingDirectorySeparator(outFolder));
        try
        {
            Staging.Writing(outFolder, () => Directory.CreateDirectory(partial));
            ModelFile.Write(training, Path.Combine(partial, TrainingFile));
            ModelFile.Write(evaluation, Path.Combine(partial, EvaluationFile));
            Staging.WriteFile(Path.Combine(partial, ParametersFile), [], stream => WriteParameters(stream, model));
            var index = Index(model, training, evaluation, partial);
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

    static void WriteParameters(Stream stream, ClassifierModel model)
    {
        using var npz = new NpzWriter(stream, leaveOpen: true);
        for (var i = 0; i < model.Initial.TensorCount; i++)
            npz.Add<float>(model.Initial.Layout[i].Name, [.. model.Initial.Layout[i].Shape], model.Initial[i]);
    }

    static ArtifactIndex Index(ClassifierModel model, ModelProto training, ModelProto evaluation, string folder)
    {
        var parameters = model.Forward.Parameters.Select(p => p.Name).ToHashSet(StringComparer.Ordinal);
        var gradients = parameters.ToDictionary(p => p + ArtifactGraphs.GradientSuffix, StringComparer.Ordinal);
        return new(
            ArtifactIndex.CurrentFormat, new(Path.GetFileName(model.File.Path), Sha256(model.File.Path)),
            training.OpsetImport.Single(o => o.Domain.Length == 0).Version, training.IrVersion,
            model.Forward.FixedBatch?.ToString(CultureInfo.InvariantCulture) ?? ArtifactGraphs.BatchSymbol,
            [File(TrainingFile, "training"), File(EvaluationFile, "evaluation"), File(ParametersFile, "parameters")],
            [.. training.Graph.Input.Select(i => Value(i, InputRole(i.Name)))],
            [.. training.Graph.Output.Select(o => gradients.TryGetValue(o.Name, out var of)
                    ? new ArtifactValue(o.Name, "gradient", "FLOAT", Shape(o), of)
                    : new ArtifactValue(o.Name, "loss", "FLOAT", [])),
                .. evaluation.Graph.Output.Where(o => o.Name != ArtifactGraphs.Loss).Select(o => Value(o, "logits"))]);

        ArtifactFile File(string name, string role)
        {
            var path = Path.Combine(folder, name);
            return new(name, role, new FileInfo(path).Length, Sha256(path));
        }

        string InputRole(string name) => parameters.Contains(name) ? "parameter" : name == ArtifactGraphs.Labels ? "labels" : "samples";
    }

    static ArtifactValue Value(ValueInfoProto value, string role) =>
        new(value.Name, role, ((TensorProto.Types.DataType)value.Type.TensorType.ElemType).ToString().ToUpperInvariant(), Shape(value));

    static string[] Shape(ValueInfoProto value) => [.. value.Type.TensorType.Shape.Dim.Select(d =>
        d.HasDimValue ? d.DimValue.ToString(CultureInfo.InvariantCulture) : d.DimParam)];

    static string Sha256(string path)
    {
        using var stream = System.IO.File.OpenRead(path);
        return Convert.ToHexStringLower(SHA256.HashData(stream));
    }
}
