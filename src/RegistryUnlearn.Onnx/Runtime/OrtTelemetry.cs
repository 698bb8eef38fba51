using System.Runtime.InteropServices;

namespace RegistryUnlearn.Onnx.Runtime;

/// <summary>
/// Official packages of ONNX Runtime send usage data to their maker, on Linux too, and write a session file into the folder for temporary
/// files. Models and their sizes are nobody's business here: it is off unless the variable says otherwise.
/// </summary>
static partial class OrtTelemetry
{
    /// <summary>ONNX Runtime reads it when its environment is created.</summary>
    const string Variable = "ORT_DISABLE_TELEMETRY";

    /// <summary>Before the environment is created. A value that the user has set stays.</summary>
    public static void SwitchOff()
    {
        if (Environment.GetEnvironmentVariable(Variable) is not null)
            return;
        Environment.SetEnvironmentVariable(Variable, "1");
        // On Unix .NET keeps variables to itself; native code sees those of the C library.
        if (!OperatingSystem.IsWindows())
            SetForNativeCode(Variable, "1", overwrite: 0);
    }

    [LibraryImport("libc", EntryPoint = "setenv", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int SetForNativeCode(string name, string value, int overwrite);
}
