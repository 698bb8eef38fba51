using RegistryUnlearn.Conformance;

namespace RegistryUnlearn.Registry.Tests;

/// <summary>A store on which something happens just before a write, counted from 1.</summary>
sealed class InterruptedStore(IObjectStore inner, int write, Func<Task> happens) : StoreDecorator(inner)
{
    int writes;

    public bool WasReached => writes >= write;

    protected override Task<T> ReadingAsync<T>(Func<Task<T>> operation) => operation();

    protected override async Task<T> WritingAsync<T>(Func<Task<T>> operation, T conflict)
    {
        if (++writes == write)
            await happens();
        return await operation();
    }
}
