using System.Diagnostics;
using System.Text;

namespace RegistryUnlearn.Faults;

/// <summary>The built command as a process of its own, with temporary files in a folder of the test's.</summary>
sealed class RealProcess : IDisposable
{
    static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);

    const string Command = "RegistryUnlearn.Cli";

    readonly Process process;
    readonly StringBuilder error = new();
    readonly Task<string> output;

    RealProcess(Process process)
    {
        this.process = process;
        process.ErrorDataReceived += (_, line) =>
        {
            if (line.Data is { } text)
                lock (error)
                    error.AppendLine(text);
        };
        process.BeginErrorReadLine();
        output = process.StandardOutput.ReadToEndAsync();
    }

    /// <summary>Beside this assembly: bin/RegistryUnlearn.Faults/release and bin/RegistryUnlearn.Cli/release.</summary>
    static string FolderOf(string project)
    {
        var own = new DirectoryInfo(AppContext.BaseDirectory);
        return Path.Combine(own.Parent!.Parent!.FullName, project, own.Name);
    }

    /// <summary>The registry that comes with the command.</summary>
    public static string Sample => Path.Combine(FolderOf(Command), "onnx-artifacts");

    public static RealProcess Start(string temp, params string[] args) => Start(temp, [], args);

    /// <param name="environment">More variables of the environment.</param>
    public static RealProcess Start(string temp, Dictionary<string, string> environment, string[] args) =>
        Start(Path.Combine(FolderOf(Command), "registry-unlearn.dll"), temp, environment, args);

    /// <summary>Another program of the tests, by its project.</summary>
    public static RealProcess StartOther(string project, string temp, params string[] args) =>
        Start(Path.Combine(FolderOf(project), project + ".dll"), temp, [], args);

    /// <summary>The command as a child of another program, which does with it what it likes.</summary>
    /// <param name="parent">Program and arguments; the command's own follow.</param>
    public static RealProcess StartUnder(string[] parent, string temp, Dictionary<string, string> environment, string[] args) =>
        Start([.. parent, "dotnet", Path.Combine(FolderOf(Command), "registry-unlearn.dll"), .. args], temp, environment);

    static RealProcess Start(string program, string temp, Dictionary<string, string> environment, string[] args) =>
        Start(["dotnet", program, .. args], temp, environment);

    static RealProcess Start(string[] line, string temp, Dictionary<string, string> environment)
    {
        var start = new ProcessStartInfo(line[0], line[1..])
        {
            RedirectStandardError = true,
            RedirectStandardOutput = true,
        };
        start.Environment["TMPDIR"] = temp;
        foreach (var (name, value) in environment)
            start.Environment[name] = value;
        return new(Process.Start(start)!);
    }

    public static async Task<(int Code, string Output, string Error)> RunAsync(string temp, params string[] args)
    {
        using var running = Start(temp, args);
        return await running.EndAsync();
    }

    public string Error
    {
        get
        {
            lock (error)
                return error.ToString();
        }
    }

    /// <summary>Waits for something to happen; whether it did while the process ran, and within some minutes.</summary>
    public async Task<bool> UntilAsync(Func<bool> happened)
    {
        for (var waited = Stopwatch.StartNew(); !process.HasExited && waited.Elapsed < Patience;)
        {
            if (happened())
                return true;
            await Task.Delay(2);
        }
        return false;
    }

    /// <summary>SIGKILL.</summary>
    public void Kill() => process.Kill();

    /// <summary>SIGSTOP: the process sleeps and does not know it.</summary>
    public void Pause() => ExternalCommand.Run("kill", "-STOP", process.Id.ToString());

    /// <summary>SIGCONT.</summary>
    public void Continue() => ExternalCommand.Run("kill", "-CONT", process.Id.ToString());

    /// <summary>Memory that the process holds now.</summary>
    public long ResidentBytes
    {
        get
        {
            process.Refresh();
            return process.WorkingSet64;
        }
    }

    public void Terminate() => ExternalCommand.Run("kill", "-TERM", process.Id.ToString());

    public async Task<(int Code, string Output, string Error)> EndAsync()
    {
        await process.WaitForExitAsync();
        return (process.ExitCode, await output, Error);
    }

    public void Dispose()
    {
        if (!process.HasExited)
            process.Kill();
        process.Dispose();
    }
}
