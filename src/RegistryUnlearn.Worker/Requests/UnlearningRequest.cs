using System.Text.Json;
using System.Text.Json.Nodes;
using RegistryUnlearn.Auditing;
using RegistryUnlearn.Onnx.Models;
using RegistryUnlearn.Registry;
using RegistryUnlearn.Unlearning.Defences;
using RegistryUnlearn.Unlearning.Methods;

namespace RegistryUnlearn.Worker.Requests;

/// <summary>What is asked: which samples to remove from which model, how, with what data, and what to do with the result.</summary>
public sealed record UnlearningRequest
{
    public const int CurrentSchemaVersion = 1;

    public required ModelReference Model { get; init; }

    public required MethodChoice Method { get; init; }

    /// <summary>Decides every random choice of the job.</summary>
    public required ulong Seed { get; init; }

    public required RequestedData Data { get; init; }

    /// <summary>Ids of the samples to forget; never written to logs, lineage or reports.</summary>
    public required IReadOnlyList<string> Forget { get; init; }

    /// <summary>Groups, such as persons, all of whose samples are to be forgotten; secret like the ids.</summary>
    public IReadOnlyList<string> ForgetGroups { get; init; } = [];

    public required RetainedChoice Retain { get; init; }

    public required RequestedAudit Audit { get; init; }

    public ParentPolicy ParentPolicy { get; init; } = ParentPolicy.Quarantine;

    public Alias? Alias { get; init; }

    /// <summary>What is done to the result before it is audited and published.</summary>
    public DefenceOptions Defence { get; init; } = DefenceOptions.None;

    /// <summary>Which tensors are trained where the default is not right.</summary>
    public ParameterPatterns Parameters { get; init; } = ParameterPatterns.Default;

    /// <summary>Which value holds the logits, and along which axis, where the default is not right.</summary>
    public LogitChoice Logits { get; init; } = LogitChoice.Default;
}

/// <summary>A method with its options, every default filled in.</summary>
public sealed record MethodChoice(IUnlearningMethod Method, object Options)
{
    /// <summary>The options as a request writes them, all fields on one level.</summary>
    public JsonObject OptionsJson()
    {
        var flat = new JsonObject();
        Flatten(JsonSerializer.SerializeToNode(Options, Options.GetType(), RequestJson.Options)!.AsObject());
        return flat;

        void Flatten(JsonObject fields)
        {
            foreach (var (name, value) in fields)
                if (value is JsonObject inner)
                    Flatten(inner);
                else
                    flat[name] = value?.DeepClone();
        }
    }
}

/// <summary>A file in the registry, with the digest it must have if one is given.</summary>
/// <param name="Path">Relative to the registry's root.</param>
public sealed record DataFile(string Path, Digest? Sha256);

/// <param name="Train">What the model was trained on, the samples to forget included.</param>
/// <param name="Holdout">Samples that were never trained on and that the method may look at.</param>
/// <param name="Test">Samples that only the audit sees.</param>
/// <param name="Scale">Stored values are divided by this, then normalised.</param>
/// <param name="Arrays">Names of the arrays in the files.</param>
public sealed record RequestedData(
    DataFile Train, DataFile? Holdout, DataFile? Test, float Scale, float[] Mean, float[] Std, ArrayNames Arrays);

public sealed record ArrayNames(string Inputs, string Labels, string? Ids, string? TrueLabels, string? Groups);

/// <summary>The retained samples that the method may use: a share of all, or a list.</summary>
public sealed record RetainedChoice(double? Fraction, ulong Seed, IReadOnlyList<string>? Ids);

/// <param name="Oracles">Path of an oracle file in the registry.</param>
/// <param name="Pool">Id of a pool of oracles and reference models in the registry.</param>
/// <param name="Compare">Other methods to show beside the chosen one; their results are not published.</param>
/// <param name="Gates">Null for <see cref="DefaultGates"/>; an empty list asks for nothing.</param>
public sealed record RequestedAudit(string? Oracles, IReadOnlyList<MethodChoice> Compare, IReadOnlyList<Gate>? Gates, string? Pool = null);
