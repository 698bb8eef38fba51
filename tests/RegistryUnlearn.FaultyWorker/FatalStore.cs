using System.Diagnostics;
using RegistryUnlearn.Conformance;
using RegistryUnlearn.Registry;

namespace RegistryUnlearn.FaultyWorker;

/// <summary>Kills its own process, as the operating system would, before or after one write, counted from 1.</summary>
sealed class FatalStore(IObjectStore inner, bool before, int at) : StoreDecorator(inner)
{
    int writes;

    public int Writes => writes;

    protected override Task<T> ReadingAsync<T>(Func<Task<T>> operation) => operation();

    protected override async Task<T> WritingAsync<T>(Func<Task<T>> operation, T conflict)
    {
        var isFatal = Interlocked.Increment(ref writes) == at;
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
