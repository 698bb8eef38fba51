using RegistryUnlearn.Registry;
using RegistryUnlearn.Unlearning.Methods;
using RegistryUnlearn.Worker.Jobs;

namespace RegistryUnlearn.Worker.Hosting.Progress;

/// <summary>
/// An attempt of this worker: told by the job, read by the page, and written into the registry every few seconds for other workers' pages.
/// Telling is best effort; a job never waits for it or fails by it.
/// </summary>
public sealed class LiveJob : IJobProgress, IAsyncDisposable
{
    const int MaxNotes = 50;

    static readonly TimeSpan WriteInterval = TimeSpan.FromSeconds(2);

    readonly Lock gate = new();
    readonly List<Curve> curves = [];
    readonly Queue<string> notes = new();
    readonly int attempt;
    readonly string worker;
    readonly JobProgressStore stored;
    readonly TimeProvider clock;
    readonly Action<LiveJob> ended;
    readonly CancellationTokenSource end = new();
    readonly Task writing;
    string? stage;
    DateTimeOffset updated;
    long saved;
    long steps;

    internal LiveJob(JobId job, int attempt, string worker, JobProgressStore stored, TimeProvider clock, Action<LiveJob> ended)
    {
        (Job, this.attempt, this.worker, this.stored, this.clock, this.ended) = (job, attempt, worker, stored, clock, ended);
        updated = clock.GetUtcNow();
        saved = clock.GetTimestamp();
        writing = Task.Run(WriteAsync);
    }

    public JobId Job { get; }

    /// <summary>Time since the attempt began or its state was last saved: the work that a crash would cost.</summary>
    public TimeSpan CheckpointAge
    {
        get
        {
            lock (gate)
                return clock.GetElapsedTime(saved);
        }
    }

    /// <summary>Steps of all methods so far.</summary>
    public long StepsTaken => Interlocked.Read(ref steps);

    public void Stage(string name) => Change(() => stage = name);

    public void Note(string text) => Change(() =>
    {
        notes.Enqueue(text);
        if (notes.Count > MaxNotes)
            notes.Dequeue();
    });

    public void Step(string what, int done, int total, StepTrace trace)
    {
        Interlocked.Increment(ref steps);
        Change(() =>
        {
            if (curves.Count == 0 || curves[^1].Method != what || curves[^1].Last >= done)
                curves.Add(new Curve(what, total));
            curves[^1].Add(done, trace);
        });
    }

    public void Saved(int step) => Change(() => saved = clock.GetTimestamp());

    public JobProgressDocument ToDocument()
    {
        lock (gate)
            return new(attempt, worker, stage, updated, [.. curves.Select(c => c.ToProgress())], [.. notes]);
    }

    void Change(Action change)
    {
        lock (gate)
        {
            change();
            updated = clock.GetUtcNow();
        }
    }

    async Task WriteAsync()
    {
        using var timer = new PeriodicTimer(WriteInterval, clock);
        DateTimeOffset? written = null;
        try
        {
            while (await timer.WaitForNextTickAsync(end.Token))
            {
                var document = ToDocument();
                if (document.Updated != written && await stored.TryWriteAsync(Job, document, end.Token))
                    written = document.Updated;
            }
        }
        catch (OperationCanceledException)
        {
            // The attempt is over.
        }
    }

    /// <summary>Writes how the attempt ended.</summary>
    public async ValueTask DisposeAsync()
    {
        await end.CancelAsync();
        await writing;
        await stored.TryWriteAsync(Job, ToDocument(), CancellationToken.None);
        ended(this);
        end.Dispose();
    }
}
