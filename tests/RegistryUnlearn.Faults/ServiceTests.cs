using System.Net.Sockets;
using System.Text;
using System.Text.Json.Nodes;
using RegistryUnlearn.Conformance;
using RegistryUnlearn.Registry;

namespace RegistryUnlearn.Faults;

/// <summary>A worker as a service manager starts it: <c>Type=notify</c> of systemd.</summary>
public sealed class ServiceTests : IDisposable
{
    readonly TempFolder folder = new();

    static CancellationToken Stop => TestContext.Current.CancellationToken;

    public void Dispose() => folder.Dispose();

    [Theory]
    [InlineData("text")]
    [InlineData("json")]
    public async Task It_says_when_it_is_ready_and_when_it_stops(string logs)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "there is no systemd here");
        var (registry, temp) = (Path.Combine(folder.Path, "registry"), Path.Combine(folder.Path, "temp"));
        Directory.CreateDirectory(registry);
        Directory.CreateDirectory(temp);
        var store = new FolderStore(registry);
        await TinyRegistry.FillAsync(store);
        using var notices = new Socket(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);
        var address = Path.Combine(folder.Path, "notify");
        notices.Bind(new UnixDomainSocketEndPoint(address));

        using var service = RealProcess.StartUnder(Manager(), temp, new()
        {
            ["NOTIFY_SOCKET"] = address,
            ["REGISTRY_UNLEARN_WORKER__LOGS"] = logs,
            ["REGISTRY_UNLEARN_WORKER__POLLSECONDS"] = "0.2",
        }, ["worker", "--registry", registry, "--http", "none"]);
        Assert.Equal("READY=1", await ReceiveAsync(notices));

        var job = await new Worker.Jobs.JobRunner(store, TimeProvider.System, new()).SubmitAsync(
            TinyRegistry.Request(), "request", Stop);
        Assert.True(await service.UntilAsync(() => Lines(service).Any(l => l.Contains("Done", StringComparison.Ordinal))), service.Error);
        // The service itself, which the manager knows by its number.
        ExternalCommand.Run("kill", "-TERM", (await File.ReadAllTextAsync(Path.Combine(folder.Path, "pid"), Stop)).Trim());
        Assert.Equal("STOPPING=1", await ReceiveAsync(notices));
        var (code, _, error) = await service.EndAsync();
        Assert.True(code is 0, error);
        var done = Lines(service).First(l => l.Contains("Done", StringComparison.Ordinal));
        if (logs is "json")
        {
            var scope = Assert.Single(JsonNode.Parse(done)!["Scopes"]!.AsArray())!;
            Assert.Equal((job.ToString(), 1), ((string)scope["job"]!, (int)scope["attempt"]!));
        }
        else
            Assert.Contains($"job={job} attempt=1", done);
    }

    static string[] Lines(RealProcess process) => process.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries);

    /// <summary>A shell under the name of the manager, by which services recognise it.</summary>
    string[] Manager()
    {
        var manager = Path.Combine(folder.Path, "systemd");
        File.Copy("/bin/sh", manager);
        return [manager, "-c", $"\"$@\" & echo $! > '{folder.Path}/pid'; wait $!", "sh"];
    }

    static async Task<string> ReceiveAsync(Socket notices)
    {
        var buffer = new byte[256];
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        patience.CancelAfter(TimeSpan.FromMinutes(2));
        return Encoding.UTF8.GetString(buffer, 0, await notices.ReceiveAsync(buffer, patience.Token)).Trim();
    }
}
