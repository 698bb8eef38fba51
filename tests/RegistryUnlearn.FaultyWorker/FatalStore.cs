using System.Diagnostics;
using RegistryUnlearn.Conformance;
using RegistryUnlearn.Registry;

namespace RegistryUnlearn.FaultyWorker;

/// <summary>
/// Kills its own process, as the operating system would, before or after one write, counted from 1. Leases and progress are not counted:
/// they are written as time goes by, not as the job does.
/// </summary>
sealed class FatalStore(IObjectStore inner, bool before, int at) : StoreDecorator(inner)
{
    int writes;

    public int Writes => writes;

    protected override async Task<T> WritingAsync<T>(StoreWrite write, Func<Task<T>> operation, T conflict)
    {
        var path = write.Path;
        var isFatal = !path.Contains("/leases/", StringComparison.Ordinal) && !path.EndsWith("/progress.json", StringComparison.Ordinal)
            && Interlocked.Increment(ref writes) == at;
        if (isFatal && before)
            Die();
        var result = await operation();
        if (isFatal)
            Die();
        return result;
    }

    static void Die()
    {
        Process.GetCurrentProcess().Kill();
        Thread.Sleep(Timeout.Infinite);
    }
}
