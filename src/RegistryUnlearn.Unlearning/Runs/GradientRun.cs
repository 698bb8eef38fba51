using RegistryUnlearn.Training.Algebra;
using RegistryUnlearn.Training.Buffers;
using RegistryUnlearn.Training.Optimizers;
using RegistryUnlearn.Unlearning.Methods;

namespace RegistryUnlearn.Unlearning.Runs;

/// <summary>A run that follows a direction with an optimizer under a learning-rate schedule.</summary>
public abstract class GradientRun : MethodRun
{
    readonly IOptimizer optimizer;
    readonly LearningRate rate;

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

    protected sealed override StepTrace TakeStep()
    {
        var trace = ComputeDirection();
        RequireFinite(trace.RememberLoss, "the loss on retained samples");
        RequireFinite(trace.ForgetLoss ?? 0, "the loss on samples to forget");
        RequireFinite(Algebra.SquareSum(Direction), "the update direction");
        optimizer.Step(Parameters, Direction, rate.At(Step));
        return trace;
    }

    protected override void SaveState(BinaryWriter writer)
    {
        writer.Write(optimizer.Steps);
        foreach (var block in optimizer.State)
            Write(writer, block);
    }

    protected override void RestoreState(BinaryReader reader)
    {
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
