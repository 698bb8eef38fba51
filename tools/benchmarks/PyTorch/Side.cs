using System.Diagnostics;
using System.Globalization;

namespace RegistryUnlearn.Benchmarks.PyTorch;

/// <summary>A process that runs steps on demand: see <see cref="StepServer"/>.</summary>
sealed class Side : IDisposable
{
    readonly Process process;

    public Side(string program, params string[] arguments)
    {
        process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardInput = true, RedirectStandardOutput = true })!;
        if (process.StandardOutput.ReadLine() != "ready")
            throw new InvalidOperationException($"{program} {string.Join(' ', arguments)} did not start; its own message stands above");
    }

    /// <summary>Step times in ms of one block; the caller drops warm-up steps.</summary>
    public double[] Run(int steps) =>
        [.. Ask(steps.ToString(CultureInfo.InvariantCulture)).Split(' ').Select(t => double.Parse(t, CultureInfo.InvariantCulture))];

    /// <summary>The most memory that the process ever held, MiB.</summary>
    public double PeakMemory() => double.Parse(Ask("memory"), CultureInfo.InvariantCulture) / 1024;

    string Ask(string line)
    {
        process.StandardInput.WriteLine(line);
        process.StandardInput.Flush();
        return process.StandardOutput.ReadLine() ?? throw new InvalidOperationException("a side of the comparison ended early");
    }

    public void Dispose()
    {
        process.StandardInput.Close();
        process.WaitForExit();
        process.Dispose();
    }
}
