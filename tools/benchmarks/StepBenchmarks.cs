using BenchmarkDotNet.Attributes;
using RegistryUnlearn.Onnx.Graphs;
using RegistryUnlearn.Onnx.Proto;
using RegistryUnlearn.Onnx.Steps;
using RegistryUnlearn.Training.Buffers;
using RegistryUnlearn.Training.Harmonization;
using RegistryUnlearn.Training.Optimizers;
using RegistryUnlearn.Training.Runtime;

namespace RegistryUnlearn.Benchmarks;

/// <summary>Training steps of the small convolutional network, 64 samples each; a meta-step has 32 support and 32 query samples.</summary>
public class StepBenchmarks
{
    readonly List<IDisposable> owned = [];
    ForwardModel model = null!;
    TensorBlock parameters = null!, remember = null!, forget = null!;
    BoundStep forward = null!, first = null!, metaFirst = null!, metaExact = null!, forgetExact = null!;
    SgdMomentum sgd = null!;
    AdamW adam = null!;

    [GlobalSetup]
    public void Setup()
    {
        model = Networks.SampleCnn();
        parameters = Own(Networks.Draw(model));
        (remember, forget) = (Own(new TensorBlock(model.Parameters)), Own(new TensorBlock(model.Parameters)));
        forward = Bind(StepGraph.Forward(model), 64, null);
        first = Bind(StepGraph.FirstOrder(model, Networks.Loss), 64, remember);
        metaFirst = Bind(StepGraph.Meta(model, Networks.Loss, Networks.Loss, 1, MetaOrder.First), 32, remember);
        metaExact = Bind(StepGraph.Meta(model, Networks.Loss, Networks.Loss, 1, MetaOrder.Exact), 32, remember);
        forgetExact = Bind(StepGraph.Meta(model, Networks.Loss, Networks.Loss, 1, MetaOrder.Exact), 32, forget);
        sgd = Own(new SgdMomentum(model.Parameters, momentum: 0.9f));
        adam = Own(new AdamW(model.Parameters));
    }

    [Benchmark(Description = "forward")]
    public void Forward() => forward.Run();

    [Benchmark(Baseline = true, Description = "first-order step, SGD")]
    public void FirstOrder() => Update(first, sgd);

    [Benchmark(Description = "first-order step, AdamW")]
    public void FirstOrderAdam() => Update(first, adam);

    [Benchmark(Description = "first-order meta-step, SGD")]
    public void MetaFirst() => Update(metaFirst, sgd);

    [Benchmark(Description = "exact meta-step, SGD")]
    public void MetaExact() => Update(metaExact, sgd);

    [Benchmark(Description = "two exact meta-steps, harmonized, SGD")]
    public void Unlearn()
    {
        metaExact.Run();
        forgetExact.Run();
        Harmonizer.Combine(remember, forget, HarmonizationScope.Global, HarmonizationMode.Symmetric, 1);
        sgd.Step(parameters, remember, 1e-6f);
    }

    void Update(BoundStep step, IOptimizer optimizer)
    {
        step.Run();
        optimizer.Step(parameters, remember, 1e-6f);
    }

    BoundStep Bind(ModelProto graph, int batch, TensorBlock? gradients)
    {
        var step = Own(new BoundStep(Own(new GraphSession(graph)), _ => batch, parameters, gradients));
        foreach (var input in new[] { "input", StepGraph.Support + "input", StepGraph.Query(0) + "input" }.Where(step.Has))
            Networks.Fill(step[input].Floats, 1);
        foreach (var input in new[] { StepGraph.Alpha, StepGraph.Lambda }.Where(step.Has))
            step[input].Floats[0] = 0.1f;
        return step;
    }

    T Own<T>(T resource) where T : IDisposable
    {
        owned.Add(resource);
        return resource;
    }

    [GlobalCleanup]
    public void Cleanup()
    {
        owned.Reverse();
        owned.ForEach(o => o.Dispose());
        owned.Clear();
    }
}
