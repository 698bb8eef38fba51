namespace RegistryUnlearn.Worker.Hosting;

/// <summary>What came of a look at a job.</summary>
public abstract record ReconcileResult
{
    ReconcileResult()
    {
    }

    /// <summary>The job has ended as it should; nothing is left to do.</summary>
    public sealed record Done : ReconcileResult;

    /// <summary>Somebody should look again.</summary>
    /// <param name="Delay">Not before.</param>
    /// <param name="Reason">A short word, such as <c>held</c> or <c>registry-unavailable</c>.</param>
    public sealed record RetryAfter(TimeSpan Delay, string Reason) : ReconcileResult;

    /// <summary>The job has ended otherwise, for a reason that its state holds; looking again changes nothing.</summary>
    public sealed record Terminal(string Reason) : ReconcileResult;
}
