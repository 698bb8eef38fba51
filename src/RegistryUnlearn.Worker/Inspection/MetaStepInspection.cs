using RegistryUnlearn.Onnx.Graphs;
using RegistryUnlearn.Onnx.Losses;
using RegistryUnlearn.Onnx.Models;
using RegistryUnlearn.Onnx.Steps;
using RegistryUnlearn.Training.Buffers;
using RegistryUnlearn.Training.Harmonization;
using RegistryUnlearn.Training.Optimizers;
using RegistryUnlearn.Training.Runtime;
using RegistryUnlearn.Unlearning.Data;
using RegistryUnlearn.Worker.Files;
using RegistryUnlearn.Worker.Models;

namespace RegistryUnlearn.Worker.Inspection;

/// <summary>What one learning-to-unlearn step did.</summary>
/// <param name="Remember">L_S and mean L_Q of remembering.</param>
/// <param name="Forget">L_S and mean L_Q of forgetting.</param>
/// <param name="Cosine">cos(G_r, G_f) over all parameters.</param>
/// <param name="Fired">Share of scopes in which the projection fired, 0..1.</param>
/// <param name="KeptForgetNorm">‖G_f'‖ / ‖G_f‖.</param>
public sealed record MetaStepReport(
    MetaStepLosses Remember, MetaStepLosses Forget, double Cosine, double Fired, double KeptForgetNorm, string Out);

/// <param name="Support">L_S at θ.</param>
/// <param name="Query">Mean L_Q at θ − α∇L_S(θ).</param>
public sealed record MetaStepLosses(float Support, float Query);

/// <summary>One step of learning to unlearn (Huang, Foo, Liu, ECCV 2024) on given batches: every number of it can be looked at.</summary>
public static class MetaStepInspection
{
    /// <param name="configPath">See <see cref="MetaStepConfig"/>.</param>
    /// <param name="batchPath">
    /// Arrays <c>batch/{remember,forget}-{support,query-m}/{input,labels}</c>, <c>mi/weights</c> [K, 4], <c>mi/bias</c> [K]; others are
    /// ignored.
    /// </param>
    /// <param name="outPath">Receives <c>loss</c> (4), <c>cosine</c>, <c>remember/{p}</c>, <c>forget/{p}</c>, <c>updated/{p}</c>.</param>
    /// <exception cref="InputException">Something in the configuration or the batches does not fit.</exception>
    /// <exception cref="OnnxModelException">The model cannot be trained here.</exception>
    /// <exception cref="DataException">The batches cannot be read.</exception>
    public static MetaStepReport Run(
        string modelPath, string configPath, string batchPath, string outPath,
        MetaOrder order, HarmonizationScope scope, HarmonizationMode mode, LogitChoice logits, ParameterPatterns? patterns)
    {
        string[] inputs = [modelPath, configPath, batchPath];
        Staging.RequireOtherThan(outPath, inputs);
        var config = MetaStepConfig.Read(configPath);
        using var file = NpzReader.Open(batchPath);
        using var model = ClassifierModel.Load(
            modelPath, logits, patterns, SampleShape("batch/remember-support/input"), SampleShape("batch/remember-support/labels"));
        var batches = MetaStepBatches.Read(file, batchPath, model, config);

        using TensorBlock remember = new(model.Forward.Parameters), forget = new(model.Forward.Parameters);
        var onRemember = Feedback(batches.Remember, remember, CrossEntropy, (_, _) => { });
        var onForget = Feedback(batches.Forget, forget, Membership, (step, queries) =>
        {
            SetMembership(step, StepGraph.Support, config.Support);
            for (var m = 0; m < queries; m++)
                SetMembership(step, StepGraph.Query(m), config.Queries[m]);
        });
        using TensorBlock direction = remember.Clone(), updated = model.Initial.Clone();
        var harmonized = Harmonizer.Combine(direction, forget, scope, mode, config.ForgetWeight);
        using var descent = new SgdMomentum(model.Forward.Parameters, momentum: 0);
        descent.Step(updated, direction, config.Eta);

        Staging.WriteFile(outPath, inputs, stream =>
        {
            using var npz = new NpzWriter(stream, leaveOpen: true);
            npz.Add<float>("loss", [4], [onRemember.Support, onRemember.Query, onForget.Support, onForget.Query]);
            npz.Add<float>("cosine", [], [(float)harmonized.Cosine]);
            foreach (var (name, block) in new[] { ("remember", remember), ("forget", forget), ("updated", updated) })
                for (var i = 0; i < block.TensorCount; i++)
                    npz.Add<float>($"{name}/{block.Layout[i].Name}", [.. block.Layout[i].Shape], block[i]);
        });
        return new(onRemember, onForget, harmonized.Cosine, harmonized.Fired, harmonized.KeptForgetNorm, outPath);

        MetaStepLosses Feedback(FeedbackBatches side, TensorBlock gradients, BatchLoss loss, Action<BoundStep, int> prepare)
        {
            var sizes = side.Queries.Select((b, m) => (Prefix: StepGraph.Query(m), Batch: b))
                .Prepend((Prefix: StepGraph.Support, Batch: side.Support)).ToList();
            using var session = OnnxModelException.In(modelPath,
                () => new GraphSession(StepGraph.Meta(model.Forward, loss, loss, side.Queries.Count, order)));
            using var step = new BoundStep(
                session, symbol => sizes.Single(s => s.Prefix + "batch" == symbol).Batch.Count, model.Initial, gradients);
            foreach (var (prefix, batch) in sizes)
                batch.CopyTo(step, prefix);
            step[StepGraph.Alpha].Floats[0] = config.Alpha;
            step[StepGraph.Lambda].Floats[0] = config.Lambda;
            prepare(step, side.Queries.Count);
            Batch.Run(step, batchPath);
            return new(step.Scalar(StepGraph.SupportLoss), step.Scalar(StepGraph.QueryLoss));
        }

        void SetMembership(BoundStep step, string prefix, int row)
        {
            batches.Weights.AsSpan(row * MetaStepBatches.Features, MetaStepBatches.Features).CopyTo(step[prefix + "mi/weights"].Floats);
            step[prefix + "mi/bias"].Floats[0] = batches.Biases[row];
        }

        Value CrossEntropy(GraphBuilder g, string prefix, Value values) =>
            ClassificationLosses.CrossEntropy(g, Labelled(g, prefix, values), model.Classes);

        Value Membership(GraphBuilder g, string prefix, Value values)
        {
            var features = MembershipLosses.Features(g, Labelled(g, prefix, values), model.Classes);
            var weights = g.Input(prefix + "mi/weights", TensorType.Float(MetaStepBatches.Features));
            var bias = g.Input(prefix + "mi/bias", TensorType.Float());
            return MembershipLosses.NonMember(g, MembershipLosses.Scores(g, features, weights, bias));
        }

        LabelledLogits Labelled(GraphBuilder g, string prefix, Value values) =>
            model.Labelled(g, values, model.AddLabels(g, prefix + "labels", prefix + "batch"));

        long[]? SampleShape(string name) => file.Find(name)?.Shape.Skip(1).ToArray();
    }
}
