using Microsoft.ML.OnnxRuntime;
using RegistryUnlearn.Onnx.Graphs;
using RegistryUnlearn.Onnx.Proto;
using RegistryUnlearn.Onnx.Runtime;
using RegistryUnlearn.Onnx.Steps;
using RegistryUnlearn.Training.Buffers;
using RegistryUnlearn.Training.Devices;
using RegistryUnlearn.Training.Runtime;
using RegistryUnlearn.Training.Tests.Runtime;

namespace RegistryUnlearn.Training.Tests.Devices;

public sealed class ExecutionDeviceTests
{
    public static TheoryData<bool, bool> Providers { get; } = new() { { true, false }, { false, false }, { false, true } };

    [Theory, MemberData(nameof(Providers))]
    public void A_device_reads_the_present_parameters_at_every_run(bool sharesHostMemory, bool asPlugin)
    {
        var device = new ExecutionDevice("test", o =>
        {
            if (asPlugin) Assert.True(PluginProviders.TryAdd(o, ["NoSuchProvider", "CPUExecutionProvider"]));
        }, sharesHostMemory ? null : () => OrtMemoryInfo.DefaultInstance);
        // z = x·wᵀ with w [1, 2] and the loss Σ z: ∂/∂w is the sum of the samples.
        var model = SmallModel.Of([2], (m, g, x) => g.Gemm(x, m.Parameter("w", 1, 2), transB: true));
        using TensorBlock parameters = new(model.Parameters), gradients = new(model.Parameters);
        using var session = new GraphSession(StepGraph.FirstOrder(model, (g, _, logits) => g.SumAll(logits)), device);
        using var step = new BoundStep(session, _ => 2, parameters, gradients);
        Assert.Same(device, session.Device);
        new float[] { 1, 2, 3, 4 }.CopyTo(step["input"].Floats);
        new float[] { 10, 1 }.CopyTo(parameters[0]);
        step.Run();
        Assert.Equal(46, step.Scalar(StepGraph.Loss));
        Assert.Equal([4, 6], gradients[0].ToArray());

        parameters[0][0] = 0;
        step["input"].Floats[0] = 5;
        step.Run();
        Assert.Equal(6, step.Scalar(StepGraph.Loss));
        Assert.Equal([8, 6], gradients[0].ToArray());
    }

    [Fact]
    public void An_unknown_provider_is_not_added()
    {
        using var options = OrtRuntime.NewOptions();
        Assert.False(PluginProviders.TryAdd(options, ["NoSuchProvider"]));
    }

    [Fact]
    public void A_library_that_is_no_provider_is_refused()
    {
        var file = Path.GetTempFileName();
        try
        {
            using var options = OrtRuntime.NewOptions();
            Assert.Throws<OnnxRuntimeException>(() => PluginProviders.Register("broken", file));
        }
        finally
        {
            File.Delete(file);
        }
    }

    [Theory]
    [InlineData("one", "one", "two")]
    [InlineData("two", "one", "two")]
    [InlineData("three", "one", "two")]
    public void Finds_a_library_by_any_of_its_names(string there, params string[] names)
    {
        var folder = Directory.CreateTempSubdirectory();
        try
        {
            var path = Path.Combine(folder.FullName, OperatingSystem.IsWindows() ? $"{there}.dll" : $"lib{there}.so");
            File.WriteAllText(path, "");
            Assert.Equal(
                names.Contains(there) ? path : null,
                PluginProviders.Find(names, [Path.Combine(folder.FullName, "missing"), folder.FullName]));
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    [Fact]
    public void Without_CUDA_the_message_names_the_package()
    {
        using var options = OrtRuntime.NewOptions();
        Assert.SkipWhen(OrtEnv.Instance().GetAvailableProviders().Contains("CUDAExecutionProvider"), "this build has CUDA");
        const string message = "the device cuda needs an ONNX Runtime with CUDA: build with 'dotnet build -p:OnnxRuntimeFlavor=Gpu' "
            + "(package Microsoft.ML.OnnxRuntime.Gpu) on a machine with an NVIDIA GPU, CUDA and cuDNN";
        Assert.Equal(message, Assert.Throws<DeviceException>(() => ExecutionDevice.Use("cuda")).Message);
        Assert.Equal(message, Assert.Throws<DeviceException>(() => new GraphSession(Relu(), ExecutionDevice.Cuda)).Message);
        Assert.Same(ExecutionDevice.Cpu, ExecutionDevice.Current);
    }

    [Fact]
    public void An_unknown_device_is_refused_with_the_known_ones() => Assert.Equal(
        "there is no device 'npu'; give cpu or cuda", Assert.Throws<DeviceException>(() => ExecutionDevice.Use("npu")).Message);

    static ModelProto Relu()
    {
        var g = new GraphBuilder(GraphBuilder.OldestOpset);
        g.Output("y", g.Add("Relu", [g.Input("x", TensorType.Float(1))]));
        return g.Build();
    }
}
