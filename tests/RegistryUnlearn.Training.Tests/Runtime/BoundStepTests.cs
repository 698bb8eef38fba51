using RegistryUnlearn.Onnx.Graphs;
using RegistryUnlearn.Onnx.Models;
using RegistryUnlearn.Onnx.Proto;
using RegistryUnlearn.Onnx.Steps;
using RegistryUnlearn.Training.Buffers;
using RegistryUnlearn.Training.Harmonization;
using RegistryUnlearn.Training.Optimizers;
using RegistryUnlearn.Training.Runtime;

namespace RegistryUnlearn.Training.Tests.Runtime;

public sealed class BoundStepTests
{
    const int Batch = 8;

    [Fact]
    public void Reads_parameters_and_writes_gradients_where_they_are()
    {
        // z = x·wᵀ with w [1, 2] and the loss Σ z: ∂/∂w is the sum of the samples.
        var model = SmallModel.Of([2], (m, g, x) => g.Gemm(x, m.Parameter("w", 1, 2), transB: true));
        using TensorBlock parameters = new(model.Parameters), gradients = new(model.Parameters);
        using var session = new GraphSession(StepGraph.FirstOrder(model, (g, _, logits) => g.SumAll(logits)));
        using var step = new BoundStep(session, _ => 2, parameters, gradients);
        new float[] { 1, 2, 3, 4 }.CopyTo(step["input"].Floats);
        new float[] { 10, 1 }.CopyTo(parameters[0]);
        step.Run();
        Assert.Equal([12, 34], step[StepGraph.Logits].Floats.ToArray());
        Assert.Equal(46, step.Scalar(StepGraph.Loss));
        Assert.Equal([4, 6], gradients[0].ToArray());

        parameters[0][0] = 0;
        step.Run();
        Assert.Equal([2, 4], step[StepGraph.Logits].Floats.ToArray());
        Assert.True(step.Has("input"));
        Assert.False(step.Has("w"));
        Assert.Throws<KeyNotFoundException>(() => step["w"]);
    }

    [Theory]
    [InlineData(MetaOrder.First)]
    [InlineData(MetaOrder.Exact)]
    public void A_whole_training_step_allocates_nothing(MetaOrder order)
    {
        var model = SmallModel.Cnn();
        var loss = SmallModel.CrossEntropy(4);
        using TensorBlock parameters = SmallModel.Random(model, 1), remember = new(model.Parameters), forget = new(model.Parameters);
        using GraphSession first = new(StepGraph.FirstOrder(model, loss)), meta = new(StepGraph.Meta(model, loss, loss, 1, order));
        using BoundStep rememberStep = new(first, _ => Batch, parameters, remember), forgetStep = new(meta, _ => Batch, parameters, forget);
        SmallModel.Fill(rememberStep["input"].Floats, 2);
        SmallModel.Fill(forgetStep[StepGraph.Support + "input"].Floats, 3);
        SmallModel.Fill(forgetStep[StepGraph.Query(0) + "input"].Floats, 4);
        forgetStep[StepGraph.Alpha].Floats[0] = forgetStep[StepGraph.Lambda].Floats[0] = 0.1f;
        using SgdMomentum sgd = new(model.Parameters, 0.9f, 1e-4f);
        using AdamW adam = new(model.Parameters);
        var total = 0.0;
        for (var warm = 0; warm < 100; warm++)
            Step();
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var run = 0; run < 100; run++)
            Step();
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
        Assert.True(double.IsFinite(total) && parameters[0].ToArray().All(float.IsFinite));

        void Step()
        {
            rememberStep.Run();
            forgetStep.Run();
            total += Harmonizer.Combine(remember, forget, HarmonizationScope.Global, HarmonizationMode.Symmetric, 1).Cosine;
            total += Harmonizer.Combine(remember, forget, HarmonizationScope.Tensor, HarmonizationMode.ProtectRemember, 0.5f).Fired;
            sgd.Step(parameters, remember, 1e-3f);
            adam.Step(parameters, remember, 1e-4f);
            total += rememberStep.Scalar(StepGraph.Loss);
        }
    }

    [Fact]
    public void Sessions_on_one_block_see_each_others_updates()
    {
        var model = SmallModel.Cnn();
        using TensorBlock parameters = SmallModel.Random(model, 1), gradients = new(model.Parameters);
        using GraphSession train = new(StepGraph.FirstOrder(model, SmallModel.CrossEntropy(4))), forward = new(StepGraph.Forward(model));
        using BoundStep step = new(train, _ => Batch, parameters, gradients), evaluation = new(forward, _ => Batch, parameters);
        SmallModel.Fill(step["input"].Floats, 2);
        step["input"].Floats.CopyTo(evaluation["input"].Floats);
        using var sgd = new SgdMomentum(model.Parameters, 0.9f);
        var losses = new List<float>();
        for (var i = 0; i < 20; i++)
        {
            step.Run();
            evaluation.Run();
            Buffers.Blocks.Near(step[StepGraph.Logits].Floats, evaluation[StepGraph.Logits].Floats, 1e-5);
            losses.Add(step.Scalar(StepGraph.Loss));
            sgd.Step(parameters, gradients, 0.05f);
        }
        Assert.True(losses[^1] < 0.5f * losses[0], $"the loss went from {losses[0]} to {losses[^1]}");
    }

    [Fact]
    public void A_dimension_without_size_and_name_is_refused()
    {
        var g = new GraphBuilder(GraphBuilder.OldestOpset);
        g.Output("y", g.Add("Relu", [g.Input("x", TensorType.Float(2, "n"))]));
        var graph = g.Build();
        graph.Graph.Input[0].Type.TensorType.Shape.Dim[1] = new TensorShapeProto.Types.Dimension();
        using var session = new GraphSession(graph);
        using var none = new TensorBlock([]);
        Assert.Equal("dimension 1 of 'x' has neither a size nor a name",
            Assert.Throws<InvalidOperationException>(() => new BoundStep(session, _ => 1, none)).Message);
    }

    [Fact]
    public void A_graph_that_ONNX_Runtime_refuses_is_an_error_of_the_model()
    {
        var g = new GraphBuilder(GraphBuilder.OldestOpset);
        g.Output("y", g.Add("NoSuchOperator", [g.Input("x", TensorType.Float(2))]));
        var error = Assert.Throws<OnnxModelException>(() => new GraphSession(g.Build()));
        Assert.StartsWith("ONNX Runtime does not accept the graph: ", error.Message, StringComparison.Ordinal);
    }
}
