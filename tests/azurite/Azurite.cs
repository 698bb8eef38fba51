using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace RegistryUnlearn.Testing;

/// <summary>
/// The emulator of Azure Blob Storage on a free port of this machine, with its data in memory; it ends with whoever started it. Needs
/// Node.js, and <c>npm ci</c> in tests/azurite.
/// </summary>
sealed class Azurite : IAsyncDisposable
{
    /// <summary>The key of every emulator's account.</summary>
    const string Key = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";

    static readonly TimeSpan StartTimeout = TimeSpan.FromSeconds(60);

    readonly Process process;
    readonly Task<string> output;

    Azurite(Process process, int port)
    {
        (this.process, Port) = (process, port);
        output = Task.WhenAll(process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync())
            .ContinueWith(t => string.Concat(t.Result), TaskScheduler.Default);
        Account = new Uri(string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{port}/devstoreaccount1/"));
    }

    /// <summary>Where it listens on 127.0.0.1.</summary>
    public int Port { get; }

    /// <summary>Address of the emulator's account; ends in '/'.</summary>
    public Uri Account { get; }

    /// <summary>What Azure's own client needs to reach it.</summary>
    public string ConnectionString =>
        $"DefaultEndpointsProtocol=http;AccountName=devstoreaccount1;AccountKey={Key};BlobEndpoint={Account.AbsoluteUri.TrimEnd('/')};";

    /// <summary>What is missing to start it; null when nothing is.</summary>
    /// <param name="repository">Root folder of the repository.</param>
    public static string? Missing(string repository) =>
        !Directory.Exists(Path.Combine(FolderOf(repository), "node_modules", "azurite"))
            ? "azurite is not installed: run 'npm ci' in tests/azurite"
            : HasNode() ? null : "the program 'node' is not on the path";

    /// <summary>Starts it and waits until it answers.</summary>
    /// <param name="repository">Root folder of the repository.</param>
    /// <param name="service">blob or queue.</param>
    /// <param name="more">Further arguments of the emulator.</param>
    public static async Task<Azurite> StartAsync(string repository, string service = "blob", params string[] more)
    {
        var port = FreePort();
        var start = Node([Path.Combine(FolderOf(repository), "emulator.cjs"), service, "--inMemoryPersistence", "--disableTelemetry",
            "--silent", $"--{service}Host", "127.0.0.1", $"--{service}Port", port.ToString(CultureInfo.InvariantCulture), .. more]);
        var azurite = new Azurite(Process.Start(start)!, port);
        for (var waited = Stopwatch.StartNew(); !await AnswersAsync(port); await Task.Delay(50))
        {
            if (azurite.process.HasExited)
                throw new InvalidOperationException($"azurite ended with code {azurite.process.ExitCode}: {await azurite.output}");
            if (waited.Elapsed > StartTimeout)
            {
                await azurite.DisposeAsync();
                throw new InvalidOperationException($"azurite does not answer on port {port} after {StartTimeout.TotalSeconds} s");
            }
        }
        return azurite;
    }

    public async ValueTask DisposeAsync()
    {
        process.StandardInput.Close();
        await process.WaitForExitAsync();
        process.Dispose();
    }

    static string FolderOf(string repository) => Path.Combine(repository, "tests", "azurite");

    static async Task<bool> AnswersAsync(int port)
    {
        try
        {
            using var client = new TcpClient();
            await client.ConnectAsync(IPAddress.Loopback, port);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    static bool HasNode()
    {
        try
        {
            using var process = Process.Start(Node("--version"))!;
            process.WaitForExit();
            return process.ExitCode == 0;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return false;
        }
    }

    static ProcessStartInfo Node(params string[] arguments) => new("node", arguments)
    {
        RedirectStandardInput = true,
        RedirectStandardOutput = true,
        RedirectStandardError = true,
    };
}
