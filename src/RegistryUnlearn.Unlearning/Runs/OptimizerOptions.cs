using RegistryUnlearn.Training.Algebra;
using RegistryUnlearn.Training.Optimizers;
using RegistryUnlearn.Unlearning.Methods;

namespace RegistryUnlearn.Unlearning.Runs;

public enum OptimizerKind
{
    Sgd,
    Adamw,
}

/// <summary>
/// How parameters follow a direction: fields <c>optimizer</c>, <c>learningRate</c>, <c>momentum</c>, <c>weightDecay</c>, <c>schedule</c>.
/// </summary>
/// <param name="Momentum">Of SGD, 0..0.999; AdamW uses its standard moments.</param>
public sealed record OptimizerOptions(OptimizerKind Optimizer, float LearningRate, float Momentum, float WeightDecay, Schedule Schedule)
{
    /// <param name="largestDecay">0 for methods that keep some parameters as they are, which decay would move.</param>
    public static OptimizerOptions Read(OptionReader reader, OptimizerOptions otherwise, float largestDecay = 1) => new(
        reader.Choice("optimizer", otherwise.Optimizer),
        reader.Float("learningRate", otherwise.LearningRate, 1e-8f, 10),
        reader.Float("momentum", otherwise.Momentum, 0, 0.999f),
        reader.Float("weightDecay", otherwise.WeightDecay, 0, largestDecay),
        reader.Choice("schedule", otherwise.Schedule));

    public IOptimizer Create(IBlockAlgebra algebra) => Optimizer switch
    {
        OptimizerKind.Sgd => algebra.SgdMomentum(Momentum, WeightDecay),
        _ => algebra.AdamW(WeightDecay),
    };
}
