namespace RegistryUnlearn.Worker.Hosting;

/// <summary>How a worker shares jobs with others, and when it gives one up.</summary>
public sealed record ReconcileOptions
{
    /// <summary>This worker's name, different from that of any other.</summary>
    public required string Worker { get; init; }

    /// <summary>How long other workers wait for one that has fallen silent. <value>30 seconds</value></summary>
    public TimeSpan LeaseDuration { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Attempts without progress after which a job is given up. <value>5</value></summary>
    public int MaxStrikes { get; init; } = 5;

    /// <summary>Wait after the first attempt that could not go on; doubled after each further one. <value>5 seconds</value></summary>
    public TimeSpan RetryDelay { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>The longest wait. <value>10 minutes</value></summary>
    public TimeSpan MaxRetryDelay { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>The wait after so many attempts in a row that could not go on.</summary>
    public TimeSpan DelayAfter(int strikes)
    {
        var seconds = RetryDelay.TotalSeconds * Math.Pow(2, Math.Clamp(strikes - 1, 0, 62));
        return TimeSpan.FromSeconds(Math.Min(seconds, MaxRetryDelay.TotalSeconds));
    }
}
