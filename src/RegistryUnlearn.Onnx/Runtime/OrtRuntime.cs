using Google.Protobuf;
using Microsoft.ML.OnnxRuntime;
using RegistryUnlearn.Onnx.Models;
using RegistryUnlearn.Onnx.Proto;

namespace RegistryUnlearn.Onnx.Runtime;

/// <summary>
/// The process-wide ONNX Runtime environment. All sessions share one thread pool: with pools of their own, the idle but spinning
/// threads of one session slow the next one down by about a factor of two (docs/performance.md).
/// </summary>
public static class OrtRuntime
{
    /// <summary>
    /// Runtime option (runtimeconfig.json): false lets idle threads sleep at once. Spinning makes small steps faster where the
    /// processors are free and everything slower where other work needs them.
    /// </summary>
    public const string SpinSwitch = "RegistryUnlearn.SpinThreads";

    static readonly Lazy<bool> PoolIsShared = new(CreateEnvironment);

    /// <summary>
    /// Options of a session on the shared pool; on a pool of its own only where the host process had created the environment without one.
    /// Memory is not planned ahead in one piece: the plan is made during a first run and then comes on top of what that run took.
    /// </summary>
    public static SessionOptions NewOptions()
    {
        // The environment first: options would load the native library before it is told what to do.
        var isShared = PoolIsShared.Value;
        var options = new SessionOptions { EnableMemoryPattern = false };
        if (isShared)
        {
            options.DisablePerSessionThreads();
            options.AddSessionConfigEntry(SharedArena.SessionSwitch, "1");
        }
        options.LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_FATAL;
        return options;
    }

    /// <summary>A session on a graph, with options of <see cref="NewOptions"/>.</summary>
    /// <param name="configure">Changes the options before the graph is loaded.</param>
    /// <exception cref="OnnxModelException">ONNX Runtime does not accept the graph.</exception>
    public static InferenceSession Load(ModelProto graph, Action<SessionOptions> configure)
    {
        try
        {
            using var options = NewOptions();
            configure(options);
            return new InferenceSession(graph.ToByteArray(), options);
        }
        catch (OnnxRuntimeException e)
        {
            throw new OnnxModelException($"ONNX Runtime does not accept the graph: {e.Message}", e);
        }
    }

    /// <summary>
    /// What ONNX Runtime may do to a graph. Its blocked layout of images is for convolutions whose kernels are constants; where they are
    /// inputs it only moves poolings and resizings over, and reorders the images before and behind each of them (docs/performance.md).
    /// </summary>
    public static GraphOptimizationLevel OptimizationFor(ModelProto graph)
    {
        var constants = graph.Graph.Initializer.Select(i => i.Name).ToHashSet();
        return graph.Graph.Node.Any(n => n.OpType == "Conv" && n.Input.Count > 1 && constants.Contains(n.Input[1]))
            ? GraphOptimizationLevel.ORT_ENABLE_ALL : GraphOptimizationLevel.ORT_ENABLE_EXTENDED;
    }

    /// <summary>The release of ONNX Runtime.</summary>
    public static string Version
    {
        get
        {
            _ = PoolIsShared.Value;
            return OrtEnv.Instance().GetVersionString();
        }
    }

    /// <summary>Whether the environment is this process's own, with a pool of threads that all sessions share.</summary>
    internal static bool IsOwn => PoolIsShared.Value;

    static bool CreateEnvironment()
    {
        if (OrtEnv.IsCreated)
            return false;
        OrtTelemetry.SwitchOff();
        using var threading = new OrtThreadingOptions
        {
            GlobalIntraOpNumThreads = Environment.ProcessorCount,
            GlobalInterOpNumThreads = 1,
            GlobalSpinControl = !AppContext.TryGetSwitch(SpinSwitch, out var spin) || spin,
        };
        var creation = new EnvironmentCreationOptions
        {
            logId = "registry-unlearn",
            logLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_ERROR,
            threadOptions = threading,
        };
        OrtEnv.CreateInstanceWithOptions(ref creation);
        return true;
    }
}
