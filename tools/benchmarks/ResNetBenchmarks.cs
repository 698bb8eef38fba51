using BenchmarkDotNet.Attributes;
using RegistryUnlearn.Onnx.Steps;
using RegistryUnlearn.Training.Buffers;
using RegistryUnlearn.Training.Optimizers;
using RegistryUnlearn.Training.Runtime;

namespace RegistryUnlearn.Benchmarks;

/// <summary>Forward pass and first-order step of ResNet-18 on 32 images of 32×32.</summary>
public class ResNetBenchmarks
{
    const int Batch = 32;

    TensorBlock parameters = null!, gradients = null!;
    GraphSession forwardSession = null!, stepSession = null!;
    BoundStep forward = null!, step = null!;
    SgdMomentum sgd = null!;

    [GlobalSetup]
    public void Setup()
    {
        var model = Networks.ResNet18(64);
        (parameters, gradients) = (Networks.Draw(model), new TensorBlock(model.Parameters));
        forwardSession = new GraphSession(StepGraph.Forward(model));
        stepSession = new GraphSession(StepGraph.FirstOrder(model, Networks.Loss));
        forward = new BoundStep(forwardSession, _ => Batch, parameters);
        step = new BoundStep(stepSession, _ => Batch, parameters, gradients);
        sgd = new SgdMomentum(model.Parameters, momentum: 0.9f);
        Networks.Fill(forward["input"].Floats, 1);
        Networks.Fill(step["input"].Floats, 1);
    }

    [Benchmark(Description = "forward")]
    public void Forward() => forward.Run();

    [Benchmark(Baseline = true, Description = "first-order step, SGD")]
    public void FirstOrder()
    {
        step.Run();
        sgd.Step(parameters, gradients, 1e-6f);
    }

    [GlobalCleanup]
    public void Cleanup()
    {
        foreach (var resource in new IDisposable[] { forward, step, forwardSession, stepSession, sgd, parameters, gradients })
            resource.Dispose();
    }
}
