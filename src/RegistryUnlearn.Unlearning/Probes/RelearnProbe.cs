using RegistryUnlearn.Training.Algebra;
using RegistryUnlearn.Training.Buffers;
using RegistryUnlearn.Unlearning.Data;
using RegistryUnlearn.Unlearning.Methods;
using RegistryUnlearn.Unlearning.Runs;

namespace RegistryUnlearn.Unlearning.Probes;

/// <summary>Samples with the labels that they are to be taught.</summary>
/// <param name="Rows">Rows of the data set; as many as the probe takes.</param>
/// <param name="Labels">[rows, P]</param>
public sealed record RelearnSamples(DataSet Data, int[] Rows, long[] Labels);

/// <summary>
/// Trains a model on a few samples, all in one batch, and counts the steps to a loss. What a model once knew comes back faster than it
/// learns something new; the optimizer is AdamW at 0.001, whose steps do not depend on the scale of the gradients.
/// </summary>
public sealed class RelearnProbe : IDisposable
{
    /// <summary>Samples at most: one batch in memory, and enough for a mean.</summary>
    public const int MostSamples = 128;

    /// <summary>As <see cref="MostSamples"/>, where samples have labels by position.</summary>
    public const int MostTexts = 16;

    /// <summary>Steps after which the loss counts as not reached.</summary>
    public const int MostSteps = 60;

    static readonly OptimizerOptions Optimizer = new(OptimizerKind.Adamw, 0.001f, 0, 0, Schedule.Constant);

    readonly UnlearningTask task;
    readonly TensorBlock at, gradients;
    readonly CrossEntropyGradient gradient;

    public RelearnProbe(UnlearningTask task)
    {
        this.task = task;
        (at, gradients) = (new TensorBlock(task.Original.Layout, task.Device), new TensorBlock(task.Original.Layout, task.Device));
        try
        {
            gradient = new CrossEntropyGradient(task, at, gradients);
        }
        catch
        {
            at.Dispose();
            gradients.Dispose();
            throw;
        }
    }

    /// <summary>Rows that a probe takes of so many samples: the model's own batch if it insists.</summary>
    public int Take(int count) =>
        task.Model.FixedBatch is { } batch ? (int)batch : Math.Min(count, task.Model.Layout.IsPerSample ? MostSamples : MostTexts);

    /// <summary>Mean cross-entropy of the samples at some parameters, in nats.</summary>
    public double Loss(TensorBlock parameters, RelearnSamples samples)
    {
        at.CopyFrom(parameters);
        return Loss(samples);
    }

    /// <summary>
    /// Steps until the loss is at most the target, with a fraction by interpolation of the log-loss; <see cref="MostSteps"/> when it is
    /// not reached. Null when the training diverges.
    /// </summary>
    /// <param name="parameters">Where the training starts; never changed.</param>
    /// <param name="target">Nats, above 0.</param>
    public double? Steps(TensorBlock parameters, RelearnSamples samples, double target)
    {
        at.CopyFrom(parameters);
        using var algebra = BlockAlgebra.On(task.Device, at.Layout);
        using var optimizer = Optimizer.Create(algebra);
        var before = double.NaN;
        for (var step = 0; step <= MostSteps; step++)
        {
            var loss = Loss(samples);
            if (!double.IsFinite(loss))
                return null;
            if (loss <= target)
                return step == 0 ? 0 : step - 1 + (Math.Log(before / target) / Math.Log(before / Math.Max(loss, double.Epsilon)));
            before = loss;
            if (step < MostSteps)
                optimizer.Step(at, gradients, Optimizer.LearningRate);
        }

        return MostSteps;
    }

    double Loss(RelearnSamples samples) => gradient.Run(samples.Data, samples.Rows, labels => samples.Labels.CopyTo(labels));

    public void Dispose()
    {
        gradient.Dispose();
        at.Dispose();
        gradients.Dispose();
    }
}
