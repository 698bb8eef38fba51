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
    /// <returns>False when the registry did not take it, so that the lease stays until it expires.</returns>
    public async Task<bool> EndAsync(bool jobHasEnded)
    {
        await StopAsync();
        if (lost.IsCancellationRequested)
            return true;
        try
        {
            await (jobHasEnded ? lease.EndAsync() : lease.ReleaseAsync());
            return true;
        }
        catch (RegistryException e)
        {
            logger.LogWarning("The lease could not be given back and will expire: {Message}", e.Message);
            return false;
        }
    }

    async Task RenewAsync(TimeSpan interval)
    {
        try
        {
            while (true)
            {
                await Task.Delay(interval, clock, end.Token);
                if (!await TryRenewAsync(interval))
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

    /// <summary>
    /// A store that refuses is asked again until the lease may have gone; one that says nothing is not waited for longer.
    /// </summary>
    async Task<bool> TryRenewAsync(TimeSpan interval)
    {
        var patience = lease.Remaining > interval ? lease.Remaining : interval;
        using var asking = CancellationTokenSource.CreateLinkedTokenSource(end.Token);
        try
        {
            return await lease.RenewAsync(asking.Token).WaitAsync(patience, clock);
        }
        catch (RegistryException e)
        {
            logger.LogWarning("The lease was not renewed, {Seconds:0} s are left: {Message}", lease.Remaining.TotalSeconds, e.Message);
            return lease.Remaining > TimeSpan.Zero;
        }
        catch (TimeoutException)
        {
            await asking.CancelAsync();
            logger.LogWarning("The lease was not renewed: the registry has not answered for {Seconds:0} s", patience.TotalSeconds);
            return false;
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
