using Microsoft.ML.OnnxRuntime;

namespace RegistryUnlearn.Training.Devices;

/// <summary>CUDA, from the package Microsoft.ML.OnnxRuntime.Gpu or as a plugin beside another package.</summary>
static class CudaProvider
{
    const int FirstGpu = 0;
    const string RegisteredAs = "registry-unlearn.cuda";

    /// <summary>What the provider and its library are called; both names of each are in circulation.</summary>
    static readonly string[] Names = ["CUDAExecutionProvider", "CudaPluginExecutionProvider"];
    static readonly string[] Libraries = ["onnxruntime_providers_cuda_plugin", "onnxruntime_providers_cuda"];

    /// <summary>The GPU's own memory; provider and plugin give it the same name.</summary>
    public static OrtMemoryInfo Memory() =>
        new(OrtMemoryInfo.allocatorCUDA, OrtAllocatorType.DeviceAllocator, FirstGpu, OrtMemType.Default);

    /// <exception cref="DeviceException">The build has none.</exception>
    public static void AddTo(SessionOptions options)
    {
        if (PluginProviders.TryAdd(options, Names))
            return;
        try
        {
            options.AppendExecutionProvider_CUDA(FirstGpu);
        }
        catch (Exception e) when (e is EntryPointNotFoundException or OnnxRuntimeException)
        {
            if (!TryAddPlugin(options))
                throw Missing(e);
        }
    }

    static bool TryAddPlugin(SessionOptions options)
    {
        if (PluginProviders.Find(Libraries, PluginProviders.NativeFolders()) is not { } library)
            return false;
        try
        {
            PluginProviders.Register(RegisteredAs, library);
        }
        catch (OnnxRuntimeException e)
        {
            throw Missing(e);
        }
        return PluginProviders.TryAdd(options, Names);
    }

    static DeviceException Missing(Exception e) => new(
        "the device cuda needs an ONNX Runtime with CUDA: build with 'dotnet build -p:OnnxRuntimeFlavor=Gpu' (package "
        + "Microsoft.ML.OnnxRuntime.Gpu) on a machine with an NVIDIA GPU, CUDA and cuDNN"
        + (e is OnnxRuntimeException ? $". ONNX Runtime says: {e.Message.Split('\n')[0]}" : ""), e);
}
