using RegistryUnlearn.Unlearning.Runs;

namespace RegistryUnlearn.Unlearning.Methods.Train;

/// <param name="Epochs">Passes over the data, 1..100,000</param>
/// <param name="Batch">Samples per step, 1..65,536; the last batch of an epoch may be smaller</param>
public sealed record TrainOptions(int Epochs, int Batch, OptimizerOptions Optimizer);

/// <summary>Ordinary training from the parameters as they are, by cross-entropy, epoch by epoch.</summary>
public sealed class TrainMethod : IUnlearningMethod
{
    public string Name => "train";

    public string Summary => "trains on the given samples from the parameters as they are; makes models and oracles";

    public string Needs => "samples with labels";

    public string NotFor => "unlearning: it starts from what the model already knows";

    public object ReadOptions(OptionReader reader) => new TrainOptions(
        reader.Int("epochs", 60, 1, 100_000),
        reader.Int("batch", 64, 1, 65_536),
        OptimizerOptions.Read(reader, new(OptimizerKind.Sgd, 0.05f, 0.9f, 0, Schedule.Cosine)));

    public MethodRun Start(UnlearningTask task, object options)
    {
        var given = (TrainOptions)options;
        return new EpochRun(task, given.Epochs, given.Batch, given.Optimizer);
    }
}
