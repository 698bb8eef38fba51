using System.Numerics.Tensors;
using RegistryUnlearn.Onnx.Proto;
using RegistryUnlearn.Onnx.Steps;
using RegistryUnlearn.Training.Buffers;
using RegistryUnlearn.Training.Evaluation;
using RegistryUnlearn.Training.Preconditioning;
using RegistryUnlearn.Training.Runtime;
using RegistryUnlearn.Unlearning.Data;
using RegistryUnlearn.Unlearning.Runs;
using RegistryUnlearn.Unlearning.StopRules;

namespace RegistryUnlearn.Unlearning.Methods.Ltu;

/// <summary>
/// Learning to unlearn at work. Everything but parameters, moments, membership models and the best state so far follows from the task.
/// </summary>
sealed class LtuRun : GradientRun
{
    /// <summary>Share of the reference samples that the preservation pool may use; the rest only judges.</summary>
    const double PoolShare = 0.7;

    /// <summary>Share of the retained samples that are trained on; the rest only judges.</summary>
    const double TrainedShare = 0.8;

    /// <summary>Samples that the curvature is measured on, at most: more say hardly more of its mean.</summary>
    const int CurvatureSamples = 384;

    readonly LtuOptions options;
    readonly Subset forgetSet;

    /// <summary>Samples to forget in a support or query batch: a few samples need not be repeated to fill one.</summary>
    readonly int forgetPart;
    readonly ForgetTargets targets;
    readonly Evaluator live;
    readonly Evaluator original;
    readonly OracleFreeScore score;
    readonly SupportQueryPartition? partition;
    readonly CyclicBatches? retainedBatches;
    readonly RememberBatches rememberBatches;
    readonly CyclicBatches forgetBatches;
    readonly TensorBlock forgetGradient;
    readonly GraphSession rememberSession;
    readonly GraphSession forgetSession;
    readonly BoundStep rememberStep;
    readonly BoundStep forgetStep;
    readonly MembershipFeedback? membership;
    readonly Kfac? kfac;
    readonly BestState best;
    readonly List<string> notes;

    LtuRun(UnlearningTask task, LtuOptions options) : base(task, options.Steps, options.Optimizer)
    {
        this.options = options;
        forgetSet = task.Forget ?? throw new ArgumentException("the task has no samples to forget", nameof(task));
        try
        {
            original = Evaluator.Frozen(task.Model, task.Original);
            live = Evaluator.Live(task.Model, Parameters);
            var answers = TaskAnswers.Of(original, task, options);
            var trained = task.Retained.Count < 5 ? task.Retained : task.Retained.Sample(TrainedShare, task.Seed, "retained");
            var reference = answers.Reference.Samples;
            targets = ForgetTargets.Compute(answers, task, options);
            notes = [.. targets.Notes];
            if (task.Holdout is null)
                notes.Add("There is no holdout: moved retained samples stand in for samples never trained on, "
                    + "which makes every estimate weaker.");

            var (pool, judges) = SplitReference(task, reference, answers.Reference.Direct.Right(reference.Labels));
            score = new OracleFreeScore(
                original, answers.Retained.Samples, answers.Forget.Samples, judges, reference, targets.Confidences, task.Classes);
            var views = targets.Views.Count > 0 ? targets.Views
                : [.. ViewSet.Of(options.Views, task.Retained.Data).FirstOrDefault([]).Take(ViewSet.Most)];
            var moved = new List<PoolSource> { new(pool, answers.Reference), new(SampleSource.Of(trained), answers.Retained) };
            // Views that betray membership would teach what is to be forgotten, and views of mislabelled samples the wrong labels.
            if (targets.Views.Count > 0 && !targets.LabelsSuspect)
                moved.Add(new(answers.Forget.Samples, answers.Forget));
            rememberBatches = new RememberBatches(
                task, options, original, answers.Retained, moved[0], views.Count > 0 ? [.. moved] : [], views);
            var retainedPart = options.Part(options.RetainedBatch);
            if (options.Order is MetaStep.Off)
                retainedBatches = new CyclicBatches(trained, retainedPart, task.Seed, "retained");
            else
                partition = new SupportQueryPartition(trained, retainedPart, retainedPart, options.Queries, task.Seed);
            var parts = options.Order is MetaStep.Off ? 1 : 1 + options.Queries;
            forgetPart = Math.Min(options.Part(options.ForgetBatch), forgetSet.Count);
            forgetBatches = new CyclicBatches(forgetSet, forgetPart * parts, task.Seed);
            if (options.Target is ForgetTarget.NonMember or ForgetTarget.Hinge)
                membership = new MembershipFeedback(task, options, SampleSource.Of(task.Retained), reference, live);

            if (options.Preconditioner is Preconditioner.Kfac)
                kfac = Curvature(task, SampleSource.Of(trained), pool, options);
            forgetGradient = new TensorBlock(task.Original.Layout, task.Device);
            rememberSession = new GraphSession(Graph(
                (g, prefix, logits) => LtuLosses.Remember(g, prefix, logits, task.Classes, task.Model.Layout)), task.Device);
            forgetSession = new GraphSession(Graph(membership is null
                ? (g, prefix, logits) => LtuLosses.Forget(g, prefix, logits, task.Classes, options.OtherClasses, task.Model.Layout)
                : (g, prefix, logits) => LtuLosses.Membership(
                    g, prefix, logits, task.Classes, options.Target is ForgetTarget.Hinge, task.Model.Layout)), task.Device);
            rememberStep = Bind(rememberSession, rememberBatches.Size, Direction);
            forgetStep = Bind(forgetSession, forgetPart, forgetGradient);
            best = new BestState(task.Original, score.AtOriginal);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <param name="method">Its name, for messages.</param>
    /// <exception cref="DataException">The model cannot be edited in this way, or its outputs are not finite.</exception>
    public static LtuRun Start(UnlearningTask task, LtuOptions options, string method)
    {
        if (task.Model.FixedBatch is { } batch)
            throw new DataException(task.Retained.Data.File, null,
                $"the model takes batches of exactly {batch}, {method} mixes batches of several sizes",
                "export the model with a dynamic batch dimension, or use finetune or neggrad+");
        if (!task.Model.Layout.IsPerSample && options.Target is ForgetTarget.Views)
            throw new DataException(task.Retained.Data.File, null,
                "the model answers for positions, and moved views of a sample would need moved labels",
                "choose the target quantile, or non-member or hinge of ltu");
        return new LtuRun(task, options);
    }

    public override TensorBlock Result => best.Parameters;

    protected override TensorBlock Refuge => best.Parameters;

    public override IReadOnlyList<string> Notes =>
        [
            .. notes,
            .. base.Notes,
            best.Step is 0 && IsDone
                ? $"No step served: each lost more than {OracleFreeScore.Tolerance:P0} of the reference samples or came out worse than "
                    + "nothing done. The model is as it was."
                : $"The stop rule chose step {best.Step} of {Steps} (score {best.Score:0.000}; "
                    + "0 is like retraining, about 0.6 is nothing done).",
        ];

    ModelProto Graph(BatchLoss loss) => options.Order is MetaStep.Off
        ? StepGraph.FirstOrder(Task.Model, loss)
        : StepGraph.Meta(
            Task.Model, loss, loss, options.Queries, options.Order is MetaStep.Exact ? MetaOrder.Exact : MetaOrder.First, kfac?.Layers);

    BoundStep Bind(GraphSession session, int batch, TensorBlock gradients)
    {
        var step = new BoundStep(session, _ => batch, Parameters, gradients, unread: StepGraph.Logits);
        if (options.Order is not MetaStep.Off)
        {
            step[StepGraph.Alpha].Floats[0] = options.Alpha;
            step[StepGraph.Lambda].Floats[0] = options.Lambda;
            kfac?.Set(step);
        }
        return step;
    }

    protected override StepTrace ComputeDirection()
    {
        var rows = forgetBatches.At(Step);
        if (partition is null)
        {
            rememberBatches.Fill(rememberStep, "", retainedBatches!.At(Step), Step);
            FillForget("", rows, 0);
        }
        else
        {
            partition.Draw(Step);
            rememberBatches.Fill(rememberStep, StepGraph.Support, partition.Support, Step);
            FillForget(StepGraph.Support, rows[..forgetPart], 0);
            for (var m = 0; m < options.Queries; m++)
            {
                rememberBatches.Fill(rememberStep, StepGraph.Query(m), partition.Query(m), Step);
                FillForget(StepGraph.Query(m), rows.Slice((m + 1) * forgetPart, forgetPart), m + 1);
            }
        }
        rememberStep.Run();
        forgetStep.Run();
        var harmonized = Algebra.Harmonize(Direction, forgetGradient, options.Scope, options.Harmonization, options.ForgetWeight);
        // Both feedbacks weigh 1 + λ: a learning rate must mean the same with and without the meta-step.
        if (options.Order is not MetaStep.Off)
            Algebra.Mix(Direction, 1 / (1 + options.Lambda), forgetGradient, 0);
        kfac?.Apply(Direction);
        return new(
            LossOf(rememberStep), LossOf(forgetStep),
            (float)harmonized.Cosine, (float)harmonized.Fired, (float)harmonized.KeptForgetNorm);
    }

    float LossOf(BoundStep step) => options.Order is MetaStep.Off
        ? step.Scalar(StepGraph.Loss)
        : (step.Scalar(StepGraph.SupportLoss) + options.Lambda * step.Scalar(StepGraph.QueryLoss)) / (1 + options.Lambda);

    void FillForget(string prefix, ReadOnlySpan<int> rows, int part)
    {
        forgetSet.Data.Fill(rows, forgetStep[prefix + "input"].Inputs, forgetStep[prefix + LtuLosses.Labels].Longs);
        if (membership is not null)
        {
            membership.Set(forgetStep, prefix, Step, part);
            return;
        }
        var expected = forgetStep[prefix + LtuLosses.Targets].Floats;
        var others = options.OtherClasses is 0 ? [] : forgetStep[prefix + LtuLosses.Others].Floats;
        var size = others.Length / rows.Length;
        for (var i = 0; i < rows.Length; i++)
        {
            var place = forgetSet.Rows.BinarySearch(rows[i]);
            expected[i] = targets.Confidences[place];
            targets.Others.AsSpan(place * size, size).CopyTo(others.Slice(i * size, size));
        }
    }

    protected override void AfterStep()
    {
        membership?.Refit(Step);
        if (Step % options.EvaluateEvery == 0 || IsDone)
            best.Offer(score.Of(live), Step, Parameters);
    }

    /// <summary>
    /// The pool holds what the original gets right, if there is such a sample: its mistakes are not to be preserved. Of samples with
    /// positions it holds those that the original gets at least as right as the mean of them.
    /// </summary>
    /// <param name="right">Share of each reference sample's labels that the original predicts.</param>
    internal static (SampleSource Pool, SampleSource Judges) SplitReference(UnlearningTask task, SampleSource reference, double[] right)
    {
        int[] order = [.. Enumerable.Range(0, reference.Count)];
        Rng.For(task.Seed, "reference", 0).Shuffle(order.AsSpan());
        var pooled = Math.Max(1, (int)Math.Round(PoolShare * order.Length));
        var judges = order.Length > pooled ? order[pooled..] : order;
        var mean = order[..pooled].Average(i => right[i]);
        return (reference.At(order[..pooled].Where(i => right[i] >= mean).Order()), reference.At(judges.Order()));
    }

    static Kfac Curvature(UnlearningTask task, SampleSource trained, SampleSource pool, LtuOptions options)
    {
        int[] order = [.. Enumerable.Range(0, trained.Count + pool.Count)];
        var count = Math.Min(CurvatureSamples, order.Length);
        Rng.For(task.Seed, "curvature/samples", 0).Sample(order.AsSpan(), count);
        return Kfac.Measure(task.Model, task.Classes, task.Original, count,
            (start, inputs) =>
            {
                for (var i = 0; i < inputs.Length / trained.SampleSize; i++)
                {
                    var place = order[start + i];
                    var target = inputs.Slice(i * trained.SampleSize, trained.SampleSize);
                    if (place < trained.Count)
                        trained.Fill(place, target);
                    else
                        pool.Fill(place - trained.Count, target);
                }
            },
            (start, probe) =>
            {
                Rng.For(task.Seed, "curvature", start).FillNormal(probe);
                for (var row = 0; row < probe.Length; row += task.Classes)
                {
                    var values = probe.Slice(row, task.Classes);
                    TensorPrimitives.Subtract(values, TensorPrimitives.Average<float>(values), values);
                }
            },
            options.Damping);
    }

    protected override void SaveState(BinaryWriter writer)
    {
        base.SaveState(writer);
        best.Save(writer);
        membership?.Save(writer);
    }

    protected override void RestoreState(BinaryReader reader)
    {
        base.RestoreState(reader);
        best.Restore(reader);
        membership?.Restore(reader);
    }

    /// <summary>Also lets go of a run whose construction broke off: then some members are still null.</summary>
    public override void Dispose()
    {
        IDisposable?[] own = [rememberStep, forgetStep, rememberSession, forgetSession, original, live, kfac, forgetGradient, best];
        foreach (var owned in own)
            owned?.Dispose();
        base.Dispose();
    }
}
