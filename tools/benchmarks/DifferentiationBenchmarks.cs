using BenchmarkDotNet.Attributes;
using RegistryUnlearn.Onnx.Graphs;
using RegistryUnlearn.Onnx.Proto;
using RegistryUnlearn.Onnx.Steps;

namespace RegistryUnlearn.Benchmarks;

/// <summary>From a model with the 161 parameters of ResNet-50 to a training graph; nothing is run but what tells shapes.</summary>
public class DifferentiationBenchmarks
{
    const int Queries = 2;

    ForwardModel model = null!;

    [GlobalSetup]
    public void Setup() => model = Networks.ResNet50();

    [Benchmark(Baseline = true, Description = "gradient")]
    public ModelProto Gradient() => StepGraph.FirstOrder(model, Networks.Loss);

    [Benchmark(Description = "Hessian-vector product")]
    public ModelProto HessianVector() => StepGraph.HessianVector(model, Networks.Loss);

    [Benchmark(Description = "exact meta-gradient, two query batches")]
    public ModelProto Meta() => StepGraph.Meta(model, Networks.Loss, Networks.Loss, Queries, MetaOrder.Exact);
}
