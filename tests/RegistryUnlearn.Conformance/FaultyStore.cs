using RegistryUnlearn.Registry;

namespace RegistryUnlearn.Conformance;

public enum Fault
{
    None,

    /// <summary>The process dies before the n-th operation.</summary>
    KillBefore,

    /// <summary>The process dies when the n-th operation is done.</summary>
    KillAfter,

    /// <summary>
    /// The n-th successful write is done, but its caller is told of a conflict, as after a retry of a request whose answer was lost.
    /// </summary>
    LoseAcknowledgement,
}

/// <summary>What a dead process "throws"; nothing in the product catches it.</summary>
public sealed class KilledException() : Exception("The process was killed here.");

/// <summary>Breaks one operation, counted from 1. A killed store stays dead.</summary>
public sealed class FaultyStore(IObjectStore inner, Fault fault = Fault.None, int at = 0) : StoreDecorator(inner)
{
    int operations;
    int writes;
    bool dead;

    public int Operations => operations;

    public int SuccessfulWrites => writes;

    protected override async Task<T> ReadingAsync<T>(string path, Func<Task<T>> operation)
    {
        if (dead)
            throw new KilledException();
        var number = ++operations;
        KillIf(fault is Fault.KillBefore && number == at);
        var result = await operation();
        KillIf(fault is Fault.KillAfter && number == at);
        return result;
    }

    protected override async Task<T> WritingAsync<T>(StoreWrite write, Func<Task<T>> operation, T conflict)
    {
        var result = await ReadingAsync(write.Path, operation);
        if (EqualityComparer<T>.Default.Equals(result, conflict))
            return result;
        return ++writes == at && fault is Fault.LoseAcknowledgement ? conflict : result;
    }

    void KillIf(bool now)
    {
        if (!now)
            return;
        dead = true;
        throw new KilledException();
    }
}
