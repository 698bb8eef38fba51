using RegistryUnlearn.Training.Algebra;
using RegistryUnlearn.Training.Buffers;
using RegistryUnlearn.Training.Optimizers;
using RegistryUnlearn.Unlearning.Methods;

namespace RegistryUnlearn.Unlearning.Runs;

/// <summary>A run that follows a direction with an optimizer under a learning-rate schedule.</summary>
public abstract class GradientRun : MethodRun
{
    /// <summary>A run that cannot do with 1/64 of its learning rate has another fault.</summary>
    const int MostRestarts = 3;

    const float Slower = 0.25f;

    readonly IOptimizer optimizer;
    readonly LearningRate rate;

    /// <summary>Times that the run went back because a step was not finite.</summary>
    int restarts;

    protected GradientRun(UnlearningTask task, int steps, OptimizerOptions options) : base(task, steps)
    {
        Direction = new TensorBlock(task.Original.Layout, task.Device);
        Algebra = BlockAlgebra.On(task.Device, task.Original.Layout);
        optimizer = options.Create(Algebra);
        rate = new LearningRate(options.LearningRate, options.Schedule, steps);
    }

    /// <summary>Receives the update direction of a step; on the task's device.</summary>
    protected TensorBlock Direction { get; }

    /// <summary>Of parameters and directions, where they are.</summary>
    protected IBlockAlgebra Algebra { get; }

    /// <summary>Writes the direction of the present step.</summary>
    protected abstract StepTrace ComputeDirection();

    /// <summary>
    /// Where a step that is not finite sends the run back to, which then goes on with a quarter of the learning rate; null where it ends the
    /// run.
    /// </summary>
    protected virtual TensorBlock? Refuge => null;

    public override IReadOnlyList<string> Notes => restarts is 0 ? []
        :
        [
            $"The steps diverged {(restarts is 1 ? "once" : $"{restarts} times")}: the run went back to its best parameters and on with a "
                + "quarter of the learning rate.",
        ];

    protected sealed override StepTrace TakeStep()
    {
        while (true)
        {
            try
            {
                var trace = ComputeDirection();
                RequireFinite(trace.RememberLoss, "the loss on retained samples");
                RequireFinite(trace.ForgetLoss ?? 0, "the loss on samples to forget");
                RequireFinite(Algebra.SquareSum(Direction), "the update direction");
                optimizer.Step(Parameters, Direction, rate.At(Step) * MathF.Pow(Slower, restarts));
                return trace;
            }
            catch (DivergedException) when (restarts < MostRestarts && Refuge is not null)
            {
                restarts++;
                Parameters.CopyFrom(Refuge!);
                optimizer.Steps = 0;
                using var zero = new TensorBlock(Parameters.Layout);
                foreach (var block in optimizer.State)
                    block.CopyFrom(zero);
            }
        }
    }

    protected override void SaveState(BinaryWriter writer)
    {
        writer.Write(restarts);
        writer.Write(optimizer.Steps);
        foreach (var block in optimizer.State)
            Write(writer, block);
    }

    protected override void RestoreState(BinaryReader reader)
    {
        restarts = reader.ReadInt32();
        optimizer.Steps = reader.ReadInt64();
        foreach (var block in optimizer.State)
            Read(reader, block);
    }

    public override void Dispose()
    {
        Direction.Dispose();
        optimizer.Dispose();
        Algebra.Dispose();
        base.Dispose();
    }
}
