using BenchmarkDotNet.Attributes;
using RegistryUnlearn.Training.Buffers;
using RegistryUnlearn.Training.Harmonization;
using RegistryUnlearn.Training.Optimizers;

namespace RegistryUnlearn.Benchmarks;

/// <summary>What is done to whole parameter and gradient buffers, against a plain copy of such a buffer.</summary>
public class BufferBenchmarks
{
    TensorBlock parameters = null!, remember = null!, forget = null!;
    SgdMomentum sgd = null!, sgdDecay = null!;
    AdamW adam = null!;

    /// <summary>Width of the ResNet-18 whose parameters the buffers hold: 19 is 0.99 M floats, 64 is 11.2 M.</summary>
    [Params(19, 64)]
    public int Width { get; set; }

    [GlobalSetup]
    public void Setup()
    {
        var model = Networks.ResNet18(Width);
        (parameters, remember, forget) = (Networks.Draw(model), Networks.Draw(model), Networks.Draw(model));
        sgd = new SgdMomentum(model.Parameters, momentum: 0.9f);
        sgdDecay = new SgdMomentum(model.Parameters, momentum: 0.9f, weightDecay: 1e-4f);
        adam = new AdamW(model.Parameters);
    }

    [Benchmark(Baseline = true, Description = "copy"), FloatsMoved(2)]
    public void Copy() => parameters.CopyFrom(forget);

    [Benchmark(Description = "harmonize, global"), FloatsMoved(5)]
    public double Global() => Harmonizer.Combine(remember, forget, HarmonizationScope.Global, HarmonizationMode.Symmetric, 1e-3f).Cosine;

    [Benchmark(Description = "harmonize, per tensor"), FloatsMoved(5)]
    public double PerTensor() => Harmonizer.Combine(remember, forget, HarmonizationScope.Tensor, HarmonizationMode.Symmetric, 1e-3f).Cosine;

    [Benchmark(Description = "SGD with momentum"), FloatsMoved(5)]
    public void Sgd() => sgd.Step(parameters, forget, 1e-6f);

    [Benchmark(Description = "SGD with momentum and decay"), FloatsMoved(5)]
    public void SgdDecay() => sgdDecay.Step(parameters, forget, 1e-6f);

    [Benchmark(Description = "AdamW"), FloatsMoved(7)]
    public void Adam() => adam.Step(parameters, forget, 1e-6f);

    [GlobalCleanup]
    public void Cleanup()
    {
        foreach (var resource in new IDisposable[] { parameters, remember, forget, sgd, sgdDecay, adam })
            resource.Dispose();
    }
}
