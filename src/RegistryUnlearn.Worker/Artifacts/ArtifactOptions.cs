using RegistryUnlearn.Onnx.Models;
using RegistryUnlearn.Onnx.TrainingArtifacts;
using RegistryUnlearn.Training.Harmonization;
using RegistryUnlearn.Worker.Models;

namespace RegistryUnlearn.Worker.Artifacts;

/// <summary>What to write of a model's training artifacts.</summary>
public sealed record ArtifactOptions
{
    /// <value>What is known of the logits; nothing by default.</value>
    public LogitChoice Logits { get; init; } = LogitChoice.Default;

    /// <value>The choice of parameters; null for all that are detected.</value>
    public ParameterPatterns? Patterns { get; init; }

    /// <value>Sizes that the model leaves open; none by default.</value>
    public OpenSizes Sizes { get; init; } = OpenSizes.None;

    public OrtOptimizer Optimizer { get; init; } = OrtOptimizer.AdamW;

    /// <value>Adds the graph that harmonizes two sets of gradients; null for none.</value>
    public HarmonizerOptions? Harmonizer { get; init; }
}

public sealed record HarmonizerOptions(HarmonizationScope Scope, HarmonizationMode Mode);
