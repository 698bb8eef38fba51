using Microsoft.ML.OnnxRuntime;

namespace RegistryUnlearn.Training.Devices;

/// <summary>
/// Execution providers that ONNX Runtime lists as devices, among them those from libraries of their own. Older releases
/// (without ONNX_RUNTIME_PLUGINS) know none.
/// </summary>
static class PluginProviders
{
#if ONNX_RUNTIME_PLUGINS
    /// <summary>Adds the first device of a provider with one of the names; false where there is none.</summary>
    public static bool TryAdd(SessionOptions options, IReadOnlyList<string> names)
    {
        var environment = OrtEnv.Instance();
        if (environment.GetEpDevices().FirstOrDefault(d => names.Contains(d.EpName)) is not { } device)
            return false;
        options.AppendExecutionProvider(environment, [device], new Dictionary<string, string>());
        return true;
    }

    /// <exception cref="OnnxRuntimeException">The file is no provider that this ONNX Runtime loads.</exception>
    public static void Register(string name, string library) => OrtEnv.Instance().RegisterExecutionProviderLibrary(name, library);

    /// <summary>The first library of one of the names, without prefix and extension, in the folders; null where there is none.</summary>
    public static string? Find(IReadOnlyList<string> names, IEnumerable<string> folders) =>
        folders.SelectMany(f => names.Select(n => Path.Combine(f, OperatingSystem.IsWindows() ? $"{n}.dll" : $"lib{n}.so")))
            .FirstOrDefault(File.Exists);
#else
    public static bool TryAdd(SessionOptions options, IReadOnlyList<string> names) => false;

    public static void Register(string name, string library) =>
        throw new PlatformNotSupportedException("this ONNX Runtime takes no providers from libraries of their own");

    public static string? Find(IReadOnlyList<string> names, IEnumerable<string> folders) => null;
#endif

    /// <summary>Where the host process looks for the libraries of its packages.</summary>
    public static IEnumerable<string> NativeFolders() =>
        [AppContext.BaseDirectory, .. ((string?)AppContext.GetData("NATIVE_DLL_SEARCH_DIRECTORIES") ?? "")
            .Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries)];
}
