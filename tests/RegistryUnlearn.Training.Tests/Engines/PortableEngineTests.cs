using RegistryUnlearn.Onnx.Steps;
using RegistryUnlearn.Training.Buffers;
using RegistryUnlearn.Training.Engines;
using RegistryUnlearn.Training.Tests.Buffers;
using RegistryUnlearn.Training.Tests.Devices;
using RegistryUnlearn.Training.Tests.Runtime;

namespace RegistryUnlearn.Training.Tests.Engines;

public sealed class PortableEngineTests
{
    [Theory, MemberData(nameof(TestDevice.Names), MemberType = typeof(TestDevice))]
    public void Computes_loss_and_gradients_of_batches_of_any_size(string device)
    {
        // Logits (x·w₀, x·w₁) at w = 0: loss ln 2, and ∂/∂w_c is the mean of x·(½ − [label = c]).
        var model = SmallModel.Of([1], (m, g, x) => g.Gemm(x, m.Parameter("w", 2, 1), transB: true));
        var on = TestDevice.Of(device);
        using TensorBlock parameters = new(model.Parameters, on), gradients = new(model.Parameters, on);
        using IGradientEngine engine = new PortableEngine(
            StepGraph.FirstOrder(model, SmallModel.CrossEntropy(2)), parameters, gradients);
        new float[] { 4, 2 }.CopyTo(engine.Inputs(2).Floats);
        new long[] { 0, 1 }.CopyTo(engine.Labels(2));
        new float[] { 6 }.CopyTo(engine.Inputs(1).Floats);
        new long[] { 1 }.CopyTo(engine.Labels(1));
        Assert.Equal(MathF.Log(2), engine.Run(2), 6);
        Assert.Equal([-0.5f, 0.5f], gradients.Values());
        Assert.Equal(MathF.Log(2), engine.Run(1), 6);
        Assert.Equal([3, -3], gradients.Values());
    }
}
