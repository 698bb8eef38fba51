using System.Globalization;
using Azure.Core.Pipeline;
using Azure.Storage.Queues;
using RegistryUnlearn.Registry.Azure;

namespace RegistryUnlearn.Faults;

/// <summary>An emulator of the queue service for a class of tests, which are skipped where it cannot be started.</summary>
public sealed class QueueEmulator : IAsyncLifetime
{
    readonly string? missing = Azurite.Missing(Repository.Root);
    Azurite? azurite;
    int queues;

    public async ValueTask InitializeAsync()
    {
        if (missing is null)
            azurite = await Azurite.StartAsync(Repository.Root, "queue");
    }

    public async ValueTask DisposeAsync()
    {
        if (azurite is not null)
            await azurite.DisposeAsync();
    }

    /// <summary>A queue with nothing in it.</summary>
    internal async Task<QueueLocation> NewQueueAsync()
    {
        Assert.SkipUnless(missing is null, missing ?? "");
        var name = string.Create(CultureInfo.InvariantCulture, $"hints-{Interlocked.Increment(ref queues)}");
        var location = QueueLocation.Parse($"{azurite!.Account}{name}");
        await ConnectQueue(location).CreateAsync();
        return location;
    }

    /// <summary>The queue and the one for what cannot be used, without long pauses between repetitions.</summary>
    internal static HintQueue Connect(QueueLocation location, HttpPipelineTransport? transport = null) =>
        new(ConnectQueue(location, transport), ConnectQueue(location.Poison, transport));

    internal static QueueClient ConnectQueue(QueueLocation location, HttpPipelineTransport? transport = null)
    {
        var options = QueueLocation.Options();
        options.Retry.Delay = TimeSpan.FromMilliseconds(1);
        options.Retry.MaxDelay = TimeSpan.FromMilliseconds(10);
        options.Transport = transport ?? options.Transport;
        return location.Connect(options, _ => null);
    }
}
