using Azure.Storage.Queues;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging;
using RegistryUnlearn.Faults;
using RegistryUnlearn.Registry;
using RegistryUnlearn.Registry.Azure;
using RegistryUnlearn.Worker.Hosting;

namespace RegistryUnlearn.Worker.Tests.Hosting;

/// <summary>Workers that take hints from a real queue service, the emulator's.</summary>
public sealed class QueueSourceTests : IAsyncLifetime
{
    Azurite? azurite;
    QueueClient queue = null!, poison = null!;

    static CancellationToken Stop => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        if (Azurite.Missing(Repository.Root) is not null)
            return;
        azurite = await Azurite.StartAsync(Repository.Root, "queue");
        var location = QueueLocation.Parse($"{azurite.Account}hints");
        (queue, poison) = (location.Connect(_ => null), location.ConnectPoison(_ => null));
        await queue.CreateAsync(cancellationToken: Stop);
    }

    public async ValueTask DisposeAsync()
    {
        if (azurite is not null)
            await azurite.DisposeAsync();
    }

    [Fact]
    public async Task Messages_are_carried_out_and_gone()
    {
        using var lab = await StartAsync();
        var first = await lab.SubmitAsync();
        var second = await lab.SubmitAsync(TinyRegistry.Request(r => r["seed"] = 77));
        var hints = new HintQueue(queue, poison);
        await hints.SendAsync(first, Stop);
        await hints.SendAsync(second, Stop);
        await hints.SendAsync(first, Stop);
        await RunOnceAsync(lab);
        Assert.Equal(JobStatus.Succeeded, (await lab.StateAsync(first)).Status);
        Assert.Equal(JobStatus.Succeeded, (await lab.StateAsync(second)).Status);
        Assert.Equal(0, await CountAsync(queue));
        Assert.False(await poison.ExistsAsync(Stop));
    }

    [Fact]
    public async Task What_nobody_can_use_goes_to_the_poison_queue()
    {
        using var lab = await StartAsync();
        await queue.SendMessageAsync("please forget me", Stop);
        var broken = await lab.SubmitAsync();
        for (var attempt = 1; attempt <= 5; attempt++)
            await lab.BeginElsewhereAsync(broken);
        await new HintQueue(queue, poison).SendAsync(broken, Stop);
        await RunOnceAsync(lab);
        Assert.Equal("poison", (await lab.StateAsync(broken)).Error!.Reason);
        Assert.Equal(0, await CountAsync(queue));
        var left = await poison.ReceiveMessagesAsync(32, cancellationToken: Stop);
        Assert.Equal([broken.ToString(), "please forget me"], left.Value.Select(m => m.MessageText).Order());
    }

    [Fact]
    public async Task A_job_that_another_worker_has_keeps_its_message()
    {
        using var lab = await StartAsync();
        var job = await lab.SubmitAsync();
        await new JobLeases(lab.Store, lab.Clock, "other").TryAcquireAsync(job, TimeSpan.FromMinutes(5), Stop);
        await new HintQueue(queue, poison).SendAsync(job, Stop);
        await RunOnceAsync(lab);
        Assert.Equal(JobStatus.Submitted, (await lab.StateAsync(job)).Status);
        Assert.Equal(1, await CountAsync(queue));
    }

    /// <summary>A lost acknowledgement, or a hold that ran out: the message is another's, and nothing is lost by it.</summary>
    [Fact]
    public async Task A_stale_receipt_does_no_harm()
    {
        Assert.SkipWhen(azurite is null, Azurite.Missing(Repository.Root) ?? "");
        var hints = new HintQueue(queue, poison);
        await hints.SendAsync(JobId.From(Digest.Of("x"u8)), Stop);
        var stale = Assert.Single(await hints.ReceiveAsync(1, TimeSpan.FromSeconds(1), Stop));
        var renewed = await hints.HoldAsync(stale, TimeSpan.FromMinutes(1), Stop);
        Assert.NotNull(renewed);
        Assert.Null(await hints.HoldAsync(stale, TimeSpan.FromMinutes(1), Stop));
        await hints.DeleteAsync(stale, Stop);
        Assert.Equal(1, await CountAsync(queue));
        await hints.DeleteAsync(renewed, Stop);
        Assert.Equal(0, await CountAsync(queue));
    }

    [Fact]
    public async Task A_queue_that_is_not_there_is_named()
    {
        Assert.SkipWhen(azurite is null, Azurite.Missing(Repository.Root) ?? "");
        var absent = QueueLocation.Parse($"{azurite!.Account}absent").Connect(_ => null);
        var hints = new HintQueue(absent, poison);
        var refusal = await Assert.ThrowsAsync<RegistryException>(() => hints.SendAsync(JobId.From(Digest.Of("x"u8)), Stop));
        Assert.Equal((RegistryErrorKind.NotFound, "absent"), (refusal.Kind, refusal.Path));
    }

    async Task<WorkerLab> StartAsync()
    {
        Assert.SkipWhen(azurite is null, Azurite.Missing(Repository.Root) ?? "");
        return await WorkerLab.CreateAsync(TimeProvider.System);
    }

    Task RunOnceAsync(WorkerLab lab) => WorkerHost.RunAsync(
        new() { Name = "w", Registry = "memory", Once = true, Concurrency = 2, Reconcile = new() { Worker = "w" } },
        new ConfigurationBuilder().Build(), lab.Store, lab.JobOptions, lab.Clock, new HintQueue(queue, poison),
        logging => logging.ClearProviders(), Stop);

    static async Task<int> CountAsync(QueueClient queue) => (await queue.GetPropertiesAsync(Stop)).Value.ApproximateMessagesCount;
}
