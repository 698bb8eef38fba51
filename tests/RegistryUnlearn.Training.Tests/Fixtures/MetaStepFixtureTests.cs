using System.Text.Json;
using RegistryUnlearn.Onnx.Graphs;
using RegistryUnlearn.Onnx.Losses;
using RegistryUnlearn.Onnx.Steps;
using RegistryUnlearn.Training.Buffers;
using RegistryUnlearn.Training.Harmonization;
using RegistryUnlearn.Training.Optimizers;
using RegistryUnlearn.Training.Runtime;
using RegistryUnlearn.Unlearning.Data;

namespace RegistryUnlearn.Training.Tests.Fixtures;

/// <summary>Golden learning-to-unlearn steps computed in float64 by an independent implementation.</summary>
public sealed class MetaStepFixtureTests
{
    public static TheoryData<string, MetaOrder, HarmonizationScope, HarmonizationMode> Cases { get; } = new(
        from name in new[] { "cnn-agree", "cnn-conflict", "vit-conflict" }
        from order in Enum.GetValues<MetaOrder>()
        from scope in Enum.GetValues<HarmonizationScope>()
        from mode in new[] { HarmonizationMode.Symmetric, HarmonizationMode.ProtectRemember }
        select (name, order, scope, mode));

    [Theory, MemberData(nameof(Cases))]
    public void Agrees_with_the_golden_step(string name, MetaOrder order, HarmonizationScope scope, HarmonizationMode mode)
    {
        var folder = Fixture.Folder($"ltu-step/{name}");
        var golden = NpzReader.ReadAll(Path.Combine(folder, "step.npz"));
        var config = JsonDocument.Parse(File.ReadAllText(Path.Combine(folder, "config.json"))).RootElement;
        var path = Path.Combine(folder, "model.onnx");
        var o = order.ToString().ToLowerInvariant();
        var names = golden.Keys.Where(k => k.StartsWith($"{o}/forget/", StringComparison.Ordinal)).Select(k => k[$"{o}/forget/".Length..]);
        var model = Fixture.Model(path, names);
        using TensorBlock parameters = new(model.Parameters), remember = new(model.Parameters), forget = new(model.Parameters);
        for (var i = 0; i < parameters.TensorCount; i++)
            Fixture.Values(path, model.Parameters[i].Name).CopyTo(parameters[i]);

        var losses = golden[$"{o}/loss"].ToSingles();
        Run("remember", remember, CrossEntropy, losses[0], losses[1], _ => { });
        Run("forget", forget, Membership, losses[2], losses[3], step =>
        {
            SetMembership(step, StepGraph.Support, config.GetProperty("mi_support").GetInt32());
            for (var m = 0; m < 2; m++)
                SetMembership(step, StepGraph.Query(m), config.GetProperty("mi_query")[m].GetInt32());
        });
        for (var i = 0; i < model.Parameters.Count; i++)
        {
            Assert.InRange(Fixture.RelativeError(remember[i], golden[$"{o}/remember/{model.Parameters[i].Name}"].ToSingles()), 0, 1e-4);
            Assert.InRange(Fixture.RelativeError(forget[i], golden[$"{o}/forget/{model.Parameters[i].Name}"].ToSingles()), 0, 1e-4);
        }

        var result = Harmonizer.Combine(remember, forget, scope, mode, config.GetProperty("forget_weight").GetSingle());
        Assert.Equal(golden[$"{o}/cosine"].ToSingles()[0], result.Cosine, 1e-4);
        using var sgd = new SgdMomentum(model.Parameters, momentum: 0);
        sgd.Step(parameters, remember, config.GetProperty("eta").GetSingle());
        var over = scope is HarmonizationScope.Global ? "global" : "tensor";
        var updated = $"{o}/{over}/{(mode is HarmonizationMode.Symmetric ? "symmetric" : "protect-remember")}/updated";
        for (var i = 0; i < model.Parameters.Count; i++)
            Assert.InRange(Fixture.RelativeError(parameters[i], golden[$"{updated}/{model.Parameters[i].Name}"].ToSingles()), 0, 1e-5);

        void Run(string side, TensorBlock gradients, BatchLoss loss, float support, float query, Action<BoundStep> prepare)
        {
            using var session = new GraphSession(StepGraph.Meta(model, loss, loss, queries: 2, order));
            using var step = new BoundStep(session, _ => 8, parameters, gradients);
            prepare(step);
            (string, string)[] batches = [(StepGraph.Support, "support"), (StepGraph.Query(0), "query-0"), (StepGraph.Query(1), "query-1")];
            foreach (var (prefix, batch) in batches)
            {
                golden[$"batch/{side}-{batch}/input"].ToSingles().CopyTo(step[prefix + "input"].Floats);
                golden[$"batch/{side}-{batch}/labels"].ToInt64s().CopyTo(step[prefix + "labels"].Longs);
            }
            step[StepGraph.Alpha].Floats[0] = config.GetProperty("alpha").GetSingle();
            step[StepGraph.Lambda].Floats[0] = config.GetProperty("lambda").GetSingle();
            step.Run();
            Assert.Equal(support, step.Scalar(StepGraph.SupportLoss), 1e-4);
            Assert.Equal(query, step.Scalar(StepGraph.QueryLoss), 1e-4);
        }

        void SetMembership(BoundStep step, string prefix, int k)
        {
            golden["mi/weights"].ToSingles().AsSpan(4 * k, 4).CopyTo(step[prefix + "mi/weights"].Floats);
            step[prefix + "mi/bias"].Floats[0] = golden["mi/bias"].ToSingles()[k];
        }
    }

    static Value CrossEntropy(GraphBuilder g, string prefix, Value logits) =>
        ClassificationLosses.CrossEntropy(g, logits, g.Input(prefix + "labels", TensorType.Int64(prefix + "batch")), 10);

    static Value Membership(GraphBuilder g, string prefix, Value logits)
    {
        var features = MembershipLosses.Features(g, logits, g.Input(prefix + "labels", TensorType.Int64(prefix + "batch")), 10);
        var weights = g.Input(prefix + "mi/weights", TensorType.Float(4));
        return MembershipLosses.NonMember(
            g, MembershipLosses.Scores(g, features, weights, g.Input(prefix + "mi/bias", TensorType.Float())));
    }
}
