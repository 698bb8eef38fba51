using RegistryUnlearn.Unlearning.Runs;

namespace RegistryUnlearn.Unlearning.Methods.Retrain;

/// <param name="Epochs">Passes over the retained samples, 1..100,000</param>
/// <param name="Batch">Samples per step, 1..65,536; the last batch of an epoch may be smaller</param>
public sealed record RetrainOptions(int Epochs, int Batch, OptimizerOptions Optimizer);

/// <summary>
/// Trains the network from the start on retained samples: exact, since nothing of the original's parameters is used
/// (<see cref="Reinitialization"/>). What an exporter has folded into weights, such as batch normalization, is trained as it is stored.
/// </summary>
public sealed class RetrainMethod : IUnlearningMethod
{
    public string Name => "retrain";

    public string Summary => "trains the network from the start on retained samples: exact, and the measure of all others";

    public string Needs => "all retained samples (retain.fraction 1), the time of a training, and options that suit the network";

    public string NotFor => "requests that must be answered quickly; networks that only learn with the recipe they were first trained by";

    public object ReadOptions(OptionReader reader) => new RetrainOptions(
        reader.Int("epochs", 40, 1, 100_000),
        reader.Int("batch", 64, 1, 65_536),
        OptimizerOptions.Read(reader, new(OptimizerKind.Adamw, 0.002f, 0.9f, 0, Schedule.Cosine)));

    public MethodRun Start(UnlearningTask task, object options)
    {
        var given = (RetrainOptions)options;
        return new EpochRun(task, given.Epochs, given.Batch, given.Optimizer,
            parameters => Reinitialization.Fill(parameters, task.Model, null, task.Seed));
    }
}
