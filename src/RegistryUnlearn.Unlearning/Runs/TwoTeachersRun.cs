using RegistryUnlearn.Training.Buffers;
using RegistryUnlearn.Training.Evaluation;
using RegistryUnlearn.Unlearning.Data;
using RegistryUnlearn.Unlearning.Methods;

namespace RegistryUnlearn.Unlearning.Runs;

/// <summary>How retained samples are taught.</summary>
/// <param name="Labels">Weight of the cross-entropy with the labels.</param>
/// <param name="Teacher">Weight of KL(original ‖ model).</param>
sealed record Teaching(float Labels, float Teacher);

/// <summary>Moves towards the original on retained samples, and towards or away from a teacher on samples to forget.</summary>
sealed class TwoTeachersRun : StoppedRun
{
    readonly int forgetSteps;
    readonly float forgetWeight;
    readonly Subset forget;
    readonly Evaluator onRetainedTeacher, onForgetTeacher;
    readonly TensorBlock forgetGradient;
    readonly DistillationGradient onRetained, onForget;
    readonly CyclicBatches retainedBatches, forgetBatches;

    /// <param name="forgotten">Weight of KL(teacher ‖ student) on samples to forget; negative to move away from the teacher.</param>
    /// <param name="forgetTeacher">Parameters of the teacher on samples to forget, in the host's memory.</param>
    /// <param name="forgetSteps">How many of the steps forget; the rest only repair.</param>
    public TwoTeachersRun(
        UnlearningTask task, int steps, int forgetSteps, int batch, Teaching retained, float forgotten, TensorBlock forgetTeacher,
        float temperature, OptimizerOptions optimizer, StopOptions stop) : base(task, steps, optimizer, stop)
    {
        (this.forgetSteps, forgetWeight) = (forgetSteps, forgotten);
        forget = task.Forget ?? throw new ArgumentException("the task has no samples to forget", nameof(task));
        var size = task.Batch(batch);
        try
        {
            onRetainedTeacher = Evaluator.Frozen(task.Model, task.Original);
            onForgetTeacher = Evaluator.Frozen(task.Model, forgetTeacher);
            forgetGradient = new TensorBlock(task.Original.Layout, task.Device);
            onRetained = new(
                task, onRetainedTeacher, size, retained.Labels, retained.Teacher, temperature, Parameters, Direction);
            onForget = new(task, onForgetTeacher, size, 0, forgotten, temperature, Parameters, forgetGradient);
            retainedBatches = new CyclicBatches(task.Retained, size, task.Seed, "retained");
            forgetBatches = new CyclicBatches(forget, size, task.Seed, "forget");
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    protected override StepTrace ComputeDirection()
    {
        var remember = onRetained.Run(Task.Retained.Data, retainedBatches.At(Step));
        if (Step >= forgetSteps || forgetWeight is 0)
            return new(remember, null, null, null, null);
        var forgetting = onForget.Run(forget.Data, forgetBatches.At(Step));
        Algebra.Mix(Direction, 1, forgetGradient, 1);
        // A divergence is not negative; rounding can make it so.
        return new(remember, Math.Max(0, forgetting / forgetWeight), null, null, null);
    }

    public override void Dispose()
    {
        onRetained?.Dispose();
        onForget?.Dispose();
        forgetGradient?.Dispose();
        onRetainedTeacher?.Dispose();
        onForgetTeacher?.Dispose();
        base.Dispose();
    }
}
