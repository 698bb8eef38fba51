using Microsoft.Extensions.Logging;
using RegistryUnlearn.Registry;

namespace RegistryUnlearn.Worker.Hosting;

/// <summary>Renews a lease while a job is worked on, and says at once when it is lost.</summary>
sealed class LeaseKeeper : IAsyncDisposable
{
    /// <summary>Renewals within a lease's duration: two may fail before the third must succeed.</summary>
    const int Renewals = 3;

    readonly JobLease lease;
    readonly TimeProvider clock;
    readonly ILogger logger;
    readonly CancellationTokenSource lost = new();
    readonly CancellationTokenSource end = new();
    readonly Task loop;

    public LeaseKeeper(JobLease lease, TimeSpan duration, TimeProvider clock, ILogger logger)
    {
        (this.lease, this.clock, this.logger) = (lease, clock, logger);
        loop = Task.Run(() => RenewAsync(duration / Renewals));
    }

    /// <summary>Fires when another worker may have the job.</summary>
    public CancellationToken Lost => lost.Token;

    /// <summary>Stops renewing and gives up the lease, for good when the job has ended.</summary>
    public async Task EndAsync(bool jobHasEnded)
    {
        await StopAsync();
        if (lost.IsCancellationRequested)
            return;
        try
        {
            await (jobHasEnded ? lease.EndAsync() : lease.ReleaseAsync());
        }
        catch (RegistryException e)
        {
            logger.LogWarning("The lease could not be given back and will expire: {Message}", e.Message);
        }
    }

    async Task RenewAsync(TimeSpan interval)
    {
        try
        {
            while (true)
            {
                await Task.Delay(interval, clock, end.Token);
                if (!await TryRenewAsync())
                {
                    lost.Cancel();
                    return;
                }
            }
        }
        catch (OperationCanceledException)
        {
            // The work is over.
        }
    }

    /// <summary>A store that does not answer is asked again until the lease may have gone.</summary>
    async Task<bool> TryRenewAsync()
    {
        try
        {
            return await lease.RenewAsync(end.Token);
        }
        catch (RegistryException e)
        {
            logger.LogWarning("The lease was not renewed, {Seconds:0} s are left: {Message}", lease.Remaining.TotalSeconds, e.Message);
            return lease.Remaining > TimeSpan.Zero;
        }
    }

    async Task StopAsync()
    {
        await end.CancelAsync();
        await loop;
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        lost.Dispose();
        end.Dispose();
    }
}
