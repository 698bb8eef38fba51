using System.ComponentModel;
using System.Diagnostics;

namespace RegistryUnlearn.Testing;

/// <summary>Programs of this machine that tests ask; they may be absent.</summary>
static class ExternalCommand
{
    /// <summary>Waits for the program to end.</summary>
    /// <returns>Its exit code, and its output before what it says of errors; -1 when there is no program of this name.</returns>
    public static (int Code, string Said) Run(string program, params string[] args)
    {
        var start = new ProcessStartInfo(program, args) { RedirectStandardError = true, RedirectStandardOutput = true };
        try
        {
            using var process = Process.Start(start)!;
            var error = process.StandardError.ReadToEndAsync();
            var output = process.StandardOutput.ReadToEnd();
            process.WaitForExit();
            return (process.ExitCode, output + error.Result);
        }
        catch (Win32Exception)
        {
            return (-1, "");
        }
    }
}
