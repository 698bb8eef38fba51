using RegistryUnlearn.Training.Evaluation;
using RegistryUnlearn.Unlearning.Data;
using RegistryUnlearn.Unlearning.Methods;
using RegistryUnlearn.Unlearning.StopRules;

namespace RegistryUnlearn.Unlearning.Runs;

/// <summary>When to stop: fields <c>stop</c>, <c>tolerance</c>, <c>evaluateEvery</c>.</summary>
/// <param name="Tolerance">Largest drop of the accuracy on retained samples, 0..1.</param>
/// <param name="EvaluateEvery">Steps between two evaluations.</param>
public sealed record StopOptions(StopKind Stop, float Tolerance, int EvaluateEvery)
{
    /// <param name="otherwise">Where the request does not say; methods that damage the model before they repair it go to the end.</param>
    public static StopOptions Read(OptionReader reader, StopKind otherwise = StopKind.Holdout) => new(
        reader.Choice("stop", otherwise), reader.Float("tolerance", 0.02f, 0, 1), reader.Int("evaluateEvery", 10, 1, 1_000_000));
}

public enum StopKind
{
    /// <summary>The step whose forget samples look most like the holdout; the last step where there is no holdout.</summary>
    Holdout,

    /// <summary>The last step.</summary>
    None,
}

/// <summary>A gradient run that hands over the step that the plain stop rule chose.</summary>
public abstract class StoppedRun : GradientRun
{
    readonly StopOptions stop;
    readonly Evaluator? live;
    readonly HoldoutDistance? distance;
    readonly BestState? best;

    protected StoppedRun(UnlearningTask task, int steps, OptimizerOptions optimizer, StopOptions stop) : base(task, steps, optimizer)
    {
        this.stop = stop;
        if (stop.Stop is StopKind.None || task.Holdout is not { } holdout || task.Forget is not { } forget)
            return;
        try
        {
            using var original = Evaluator.Frozen(task.Model, task.Original);
            live = Evaluator.Live(task.Model, Parameters);
            distance = new HoldoutDistance(
                original, SampleSource.Of(task.Retained), SampleSource.Of(forget), SampleSource.Of(holdout), task.Classes, stop.Tolerance);
            best = new BestState(task.Original, distance.Of(original));
        }
        catch
        {
            Release();
            throw;
        }
    }

    public sealed override Training.Buffers.TensorBlock Result => best?.Parameters ?? base.Result;

    public override IReadOnlyList<string> Notes => best is null ? [] :
        [$"The stop rule chose step {best.Step} of {Steps} (distance to the holdout {best.Score:0.000})."];

    protected override void AfterStep()
    {
        if (best is not null && (Step % stop.EvaluateEvery == 0 || IsDone))
            best.Offer(distance!.Of(live!), Step, Parameters);
    }

    protected override void SaveState(BinaryWriter writer)
    {
        base.SaveState(writer);
        best?.Save(writer);
    }

    protected override void RestoreState(BinaryReader reader)
    {
        base.RestoreState(reader);
        best?.Restore(reader);
    }

    public override void Dispose() => Release();

    void Release()
    {
        live?.Dispose();
        best?.Dispose();
        base.Dispose();
    }
}
