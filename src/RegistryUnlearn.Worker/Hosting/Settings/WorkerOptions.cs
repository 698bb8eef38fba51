using System.Security.Cryptography.X509Certificates;

namespace RegistryUnlearn.Worker.Hosting;

/// <summary>How a worker runs; made by <see cref="Settings.WorkerSettings"/>, which checks it.</summary>
public sealed record WorkerOptions
{
    /// <summary>This worker's name, different from that of any other.</summary>
    public required string Name { get; init; }

    /// <summary>Where the registry lies.</summary>
    public required string Registry { get; init; }

    /// <summary>A queue whose messages hint at jobs; null for none.</summary>
    public string? Queue { get; init; }

    /// <summary>Carry out what waits now, then end.</summary>
    public bool Once { get; init; }

    /// <summary>Jobs at a time.</summary>
    public int Concurrency { get; init; } = 1;

    /// <summary>Time between two listings of the registry.</summary>
    public TimeSpan PollInterval { get; init; } = TimeSpan.FromSeconds(10);

    public required ReconcileOptions Reconcile { get; init; }

    /// <summary>Time that jobs have to save their state after SIGTERM.</summary>
    public TimeSpan ShutdownTimeout { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>Work between two checkpoints, at most 30 seconds.</summary>
    public TimeSpan CheckpointInterval { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Where local copies lie while a job runs; null for the default.</summary>
    public string? WorkFolder { get; init; }

    /// <summary>Null without page, webhook and health checks.</summary>
    public HttpOptions? Http { get; init; }

    /// <summary>Whether log lines are JSON documents.</summary>
    public bool JsonLogs { get; init; }

    /// <summary>Where metrics and traces go by OTLP; null for nowhere.</summary>
    public Uri? Telemetry { get; init; }
}

/// <summary>Where the worker listens, and whom it believes.</summary>
public sealed record HttpOptions
{
    /// <summary>Scheme, address and port; loopback unless there is a way to authenticate.</summary>
    public required Uri Url { get; init; }

    /// <summary>What proves to callers who this is; there for an address of https, and only then.</summary>
    public ServerTls? Tls { get; init; }

    /// <summary>A key that callers show; at least <see cref="MinKeyLength"/> characters. Null for none.</summary>
    public string? Key { get; init; }

    /// <summary>The Entra ID authority whose tokens are believed; null for none.</summary>
    public Uri? Authority { get; init; }

    /// <summary>Whom a token must be meant for; required with an authority.</summary>
    public string? Audience { get; init; }

    /// <summary>Enough for 128 random bits in hexadecimal.</summary>
    public const int MinKeyLength = 32;

    /// <summary>Whether only this machine can connect.</summary>
    public bool IsLoopback => Url.IsLoopback;
}

/// <summary>A certificate of a server.</summary>
/// <param name="Certificate">With its private key.</param>
/// <param name="Chain">Certificates that lead from it to one that callers know.</param>
public sealed record ServerTls(X509Certificate2 Certificate, X509Certificate2Collection Chain);
