using RegistryUnlearn.Registry;

namespace RegistryUnlearn.Conformance;

/// <summary>
/// Lets several workers run one store operation at a time, in an order that the seed decides: when all of them wait, one is let through.
/// </summary>
public sealed class Turns(int seed)
{
    readonly Random random = new(seed);
    readonly List<TaskCompletionSource> waiting = [];
    readonly Lock gate = new();
    int workers;

    /// <summary>Runs the workers together, each with its own view of its store, until all have ended.</summary>
    public async Task RunAsync(params IReadOnlyList<(IObjectStore Store, Func<IObjectStore, Task> Work)> all)
    {
        workers = all.Count;
        await Task.WhenAll(all.Select(async worker =>
        {
            try
            {
                await worker.Work(new TurnStore(worker.Store, this));
            }
            finally
            {
                Leave();
            }
        }));
    }

    Task WaitAsync()
    {
        var turn = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (gate)
        {
            waiting.Add(turn);
            LetOneThrough();
        }
        return turn.Task;
    }

    void Leave()
    {
        lock (gate)
        {
            workers--;
            LetOneThrough();
        }
    }

    void LetOneThrough()
    {
        if (waiting.Count is 0 || waiting.Count < workers)
            return;
        var chosen = random.Next(waiting.Count);
        var turn = waiting[chosen];
        waiting.RemoveAt(chosen);
        turn.SetResult();
    }

    sealed class TurnStore(IObjectStore inner, Turns turns) : StoreDecorator(inner)
    {
        protected override async Task<T> ReadingAsync<T>(string path, Func<Task<T>> operation)
        {
            await turns.WaitAsync();
            return await operation();
        }

        protected override Task<T> WritingAsync<T>(StoreWrite write, Func<Task<T>> operation, T conflict) =>
            ReadingAsync(write.Path, operation);
    }
}
