using Microsoft.ML.OnnxRuntime;
using RegistryUnlearn.Onnx.Graphs;
using RegistryUnlearn.Onnx.Proto;
using RegistryUnlearn.Onnx.Runtime;
using RegistryUnlearn.Onnx.Steps;
using RegistryUnlearn.Training.Algebra;
using RegistryUnlearn.Training.Buffers;
using RegistryUnlearn.Training.Devices;
using RegistryUnlearn.Training.Runtime;
using RegistryUnlearn.Training.Tests.Buffers;
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
    public void Blocks_of_a_device_are_read_and_written_where_they_are()
    {
        var model = SmallModel.Of([2], (m, g, x) => g.Gemm(x, m.Parameter("w", 1, 2), transB: true));
        var graph = StepGraph.FirstOrder(model, (g, _, logits) => g.SumAll(logits));
        using TensorBlock values = new(model.Parameters), parameters = new(model.Parameters, TestDevice.Apart);
        using var gradients = new TensorBlock(model.Parameters, TestDevice.Apart);
        using var session = new GraphSession(graph, TestDevice.Apart);
        using var step = new BoundStep(session, _ => 2, parameters, gradients, unread: StepGraph.Logits);
        Assert.False(step.Has(StepGraph.Logits));
        new float[] { 1, 2, 3, 4 }.CopyTo(step["input"].Floats);
        new float[] { 10, 1 }.CopyTo(values[0]);
        parameters.CopyFrom(values);
        step.Run();
        Assert.Equal(46, step.Scalar(StepGraph.Loss));
        Assert.Equal([4, 6], gradients.Values());

        // Both blocks now hold other memory, and the gradients go to what the block holds at the run.
        using TensorBlock others = new(model.Parameters, TestDevice.Apart), before = gradients.Clone();
        values[0][0] = 0;
        others.CopyFrom(values);
        parameters.Swap(others);
        gradients.Swap(before);
        step["input"].Floats[0] = 5;
        step.Run();
        Assert.Equal(6, step.Scalar(StepGraph.Loss));
        Assert.Equal([8, 6], gradients.Values());
        Assert.Equal([4, 6], before.Values());
    }

    [Fact]
    public void Blocks_of_another_device_than_the_session_are_refused()
    {
        var model = SmallModel.Of([2], (m, g, x) => g.Gemm(x, m.Parameter("w", 1, 2), transB: true));
        using var parameters = new TensorBlock(model.Parameters, TestDevice.Apart);
        using var session = new GraphSession(StepGraph.Forward(model), ExecutionDevice.Cpu);
        Assert.Equal("'w' is in the memory of test, but its session runs on cpu",
            Assert.Throws<InvalidOperationException>(() => new BoundStep(session, _ => 2, parameters)).Message);
        using var algebra = BlockAlgebra.On(TestDevice.Apart, model.Parameters);
        using var host = new TensorBlock(model.Parameters);
        Assert.StartsWith("the block is not in the memory of test",
            Assert.Throws<ArgumentException>(() => algebra.Mix(parameters, 1, host, 1)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_block_that_does_not_fit_is_refused()
    {
        ModelParameter[] layout = [new("p", [(1L << 30) + 1])];
        Assert.Equal(
            "the device test has no 4294967360 bytes for the parameters (it takes blocks of at most 4294967295); run on the cpu",
            Assert.Throws<DeviceException>(() => new TensorBlock(layout, TestDevice.Apart)).Message);
    }

    [Fact]
    public void A_provider_without_the_memory_is_refused()
    {
        var device = new ExecutionDevice(
            "npu", _ => { }, () => new OrtMemoryInfo(OrtMemoryInfo.allocatorCUDA, OrtAllocatorType.DeviceAllocator, 0, OrtMemType.Default));
        Assert.StartsWith("the device npu has no memory that can be asked for: ",
            Assert.Throws<DeviceException>(() => new TensorBlock(Blocks.Layout(1), device)).Message, StringComparison.Ordinal);
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
