using RegistryUnlearn.Conformance;

namespace RegistryUnlearn.Registry.Tests;

/// <summary>A store on which something happens just before a write, counted from 1.</summary>
sealed class InterruptedStore(IObjectStore inner, int at, Func<Task> happens) : StoreDecorator(inner)
{
    int writes;

    public bool WasReached => writes >= at;

    protected override async Task<T> WritingAsync<T>(StoreWrite write, Func<Task<T>> operation, T conflict)
    {
        if (++writes == at)
            await happens();
        return await operation();
    }
}
