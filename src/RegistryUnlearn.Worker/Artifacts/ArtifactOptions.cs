using RegistryUnlearn.Onnx.Models;
using RegistryUnlearn.Onnx.TrainingArtifacts;
using RegistryUnlearn.Training.Harmonization;

namespace RegistryUnlearn.Worker.Artifacts;

/// <summary>What to write of a model's training artifacts.</summary>
public sealed record ArtifactOptions
{
    /// <value>Name of the logits; null for the first output.</value>
    public string? Logits { get; init; }

    /// <value>The choice of parameters; null for all that are detected.</value>
    public ParameterPatterns? Patterns { get; init; }

    public OrtOptimizer Optimizer { get; init; } = OrtOptimizer.AdamW;

    /// <value>Adds the graph that harmonizes two sets of gradients; null for none.</value>
    public HarmonizerOptions? Harmonizer { get; init; }
}

public sealed record HarmonizerOptions(HarmonizationScope Scope, HarmonizationMode Mode);
