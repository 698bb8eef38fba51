using RegistryUnlearn.Onnx.Steps;
using RegistryUnlearn.Training.Buffers;
using RegistryUnlearn.Training.Evaluation;
using RegistryUnlearn.Training.Runtime;
using RegistryUnlearn.Unlearning.Data;
using RegistryUnlearn.Unlearning.Methods.Ltu;

namespace RegistryUnlearn.Unlearning.Tests.Methods.Ltu;

public sealed class MembershipFeedbackTests : IDisposable
{
    const int Refit = 3;

    readonly TensorBlock parameters = Blobs.Model.Parameters.Clone();
    readonly Evaluator live;

    public MembershipFeedbackTests() => live = Evaluator.Live(Blobs.Model.Forward, parameters);

    [Theory]
    [InlineData(2, 1)]
    [InlineData(3, 1)]
    [InlineData(3, 2)]
    [InlineData(5, 3)]
    [InlineData(16, 4)]
    public void Queries_use_other_models_than_the_support(int models, int queries)
    {
        var feedback = Feedback(models);
        using var bound = new Bound(parameters, queries);
        var supports = new HashSet<string>();
        for (var step = 0; step < 2 * models; step++)
        {
            var parts = Enumerable.Range(0, queries + 1).Select(part => bound.Set(feedback, step, part)).ToArray();

            Assert.Equal(queries + 1, parts.Distinct().Count());
            supports.Add(parts[0]);
        }

        Assert.Equal(models, supports.Count);
    }

    [Fact]
    public void Too_few_models_are_shared()
    {
        var feedback = Feedback(2);
        using var bound = new Bound(parameters, 3);

        Assert.Equal(bound.Set(feedback, 0, 0), bound.Set(feedback, 0, 2));
        Assert.Equal(bound.Set(feedback, 0, 1), bound.Set(feedback, 0, 3));
    }

    [Fact]
    public void Models_are_fitted_anew_every_few_steps()
    {
        var feedback = Feedback(3);
        using var bound = new Bound(parameters, 1);
        var fitted = new List<string>();
        for (var step = 1; step <= 3 * Refit; step++)
        {
            feedback.Refit(step);
            fitted.Add(bound.Set(feedback, 0, 0));
        }

        Assert.Equal([0, 1, 1, 1, 2, 2, 2, 3], Enumerable.Range(1, fitted.Count - 1).Select(i =>
            fitted.Take(i + 1).Distinct().Count() - 1));
    }

    [Fact]
    public void A_network_that_diverged_keeps_its_models()
    {
        var feedback = Feedback(3);
        using var bound = new Bound(parameters, 1);
        var before = bound.Set(feedback, 0, 0);
        parameters[0].Fill(float.NaN);
        feedback.Refit(Refit);

        Assert.Equal(before, bound.Set(feedback, 0, 0));
    }

    [Fact]
    public void State_survives_a_checkpoint()
    {
        var (feedback, restored) = (Feedback(3), Feedback(3));
        using var bound = new Bound(parameters, 1);
        feedback.Refit(2 * Refit);
        Assert.NotEqual(bound.Set(feedback, 0, 0), bound.Set(restored, 0, 0));
        using var stream = new MemoryStream();
        using (var writer = new BinaryWriter(stream, System.Text.Encoding.UTF8, leaveOpen: true))
            feedback.Save(writer);
        stream.Position = 0;
        using var reader = new BinaryReader(stream);
        restored.Restore(reader);

        Assert.All(Enumerable.Range(0, 3), step => Assert.Equal(bound.Set(feedback, step, 0), bound.Set(restored, step, 0)));
        Assert.Equal(stream.Length, stream.Position);
    }

    public void Dispose()
    {
        live.Dispose();
        parameters.Dispose();
    }

    MembershipFeedback Feedback(int models) => new(
        Blobs.Task(), LtuVariants.Full with { Target = ForgetTarget.Hinge, MembershipModels = models, Refit = Refit },
        SampleSource.Of(Blobs.Retained), SampleSource.Of(Blobs.Holdout), live);

    /// <summary>A meta-step with membership losses, to see what it is given.</summary>
    sealed class Bound(TensorBlock parameters, int queries) : IDisposable
    {
        static readonly BatchLoss Loss = (g, prefix, logits) => LtuLosses.Membership(g, prefix, logits, Blobs.Classes, hinge: true);

        readonly TensorBlock gradients = new(Blobs.Model.Forward.Parameters);
        readonly GraphSession session = new(StepGraph.Meta(Blobs.Model.Forward, Loss, Loss, queries, MetaOrder.First));
        BoundStep? step;

        /// <summary>Weights, intercept and level that a part of a step gets.</summary>
        public string Set(MembershipFeedback feedback, int at, int part)
        {
            step ??= new BoundStep(session, _ => 2, parameters, gradients);
            var prefix = part is 0 ? StepGraph.Support : StepGraph.Query(part - 1);
            feedback.Set(step, prefix, at, part);
            return string.Join(" ", [
                .. step[prefix + LtuLosses.MembershipWeights].Floats, step[prefix + LtuLosses.MembershipBias].Floats[0],
                step[prefix + LtuLosses.MembershipLevel].Floats[0],
            ]);
        }

        public void Dispose()
        {
            step?.Dispose();
            session.Dispose();
            gradients.Dispose();
        }
    }
}
