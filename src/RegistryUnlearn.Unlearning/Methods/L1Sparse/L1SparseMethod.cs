using RegistryUnlearn.Unlearning.Runs;

namespace RegistryUnlearn.Unlearning.Methods.L1Sparse;

/// <param name="Sparsity">γ at the first step, 0..1; it falls to zero along a line.</param>
/// <param name="Steps">1..1,000,000</param>
/// <param name="Batch">Samples per step, 1..65,536</param>
public sealed record L1SparseOptions(float Sparsity, int Steps, int Batch, OptimizerOptions Optimizer, StopOptions Stop);

/// <summary>
/// l1-sparse: descends CE on retained samples + γ‖θ‖₁ with γ falling to zero (Jia et al., Model Sparsity Can Simplify Machine Unlearning,
/// NeurIPS 2023).
/// </summary>
public sealed class L1SparseMethod : IUnlearningMethod
{
    public string Name => "l1-sparse";

    public string Summary => "trains on retained samples while small weights are pulled to zero";

    public string Needs => "a large part of the retained samples";

    public string NotFor => "small networks, which have no weights to spare";

    public object ReadOptions(OptionReader reader) => new L1SparseOptions(
        reader.Float("sparsity", 5e-4f, 0, 1),
        reader.Int("steps", 120, 1, 1_000_000),
        reader.Int("batch", 64, 1, 65_536),
        OptimizerOptions.Read(reader, new(OptimizerKind.Sgd, 0.01f, 0.9f, 0, Schedule.Cosine)),
        StopOptions.Read(reader));

    public MethodRun Start(UnlearningTask task, object options)
    {
        var given = (L1SparseOptions)options;
        return new FineTuneRun(task, given.Steps, given.Batch, given.Optimizer, given.Stop, sparsity: given.Sparsity);
    }
}
