using Microsoft.ML.OnnxRuntime;

namespace RegistryUnlearn.Onnx.Runtime;

/// <summary>
/// One arena of host memory for all sessions, while there are any. The graphs of a step run in turn: with arenas of their own, each keeps
/// the most that it ever needed while another one works (ResNet-18's exact step: 3.5 GB instead of 2.0). When the last session has been
/// closed the memory goes back to the operating system. Thread-safe.
/// </summary>
public sealed class SharedArena : IDisposable
{
    /// <summary>Makes a session take the environment's allocators.</summary>
    internal const string SessionSwitch = "session.use_env_allocators";

    const uint NoLimit = 0;
    const int ByDefault = -1;

    static readonly Lock Gate = new();
    static int users;

    bool hasLeft;

    SharedArena()
    {
    }

    /// <summary>Before a session is created; disposed of after the session.</summary>
    public static SharedArena Enter()
    {
        lock (Gate)
        {
            if (users++ == 0 && OrtRuntime.IsOwn)
            {
                using var memory = Memory();
                using var size = new OrtArenaCfg(NoLimit, ByDefault, ByDefault, ByDefault);
                OrtEnv.Instance().CreateAndRegisterAllocator(memory, size);
            }
            return new();
        }
    }

    public void Dispose()
    {
        lock (Gate)
        {
            if (hasLeft)
                return;
            hasLeft = true;
            if (--users > 0 || !OrtRuntime.IsOwn)
                return;
            using var memory = Memory();
            OrtEnv.Instance().UnregisterAllocator(memory);
        }
    }

    static OrtMemoryInfo Memory() => new(OrtMemoryInfo.allocatorCPU, OrtAllocatorType.ArenaAllocator, 0, OrtMemType.Default);
}
