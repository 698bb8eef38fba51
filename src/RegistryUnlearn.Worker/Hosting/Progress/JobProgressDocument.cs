using System.Text.Json.Serialization;

namespace RegistryUnlearn.Worker.Hosting.Progress;

/// <summary>How far an attempt at a job has come, for people who watch it. Holds counts and losses, never identities of samples.</summary>
/// <param name="Worker">Who works on it.</param>
/// <param name="Runs">The methods that have run so far, the present one last.</param>
/// <param name="Notes">The newest last.</param>
public sealed record JobProgressDocument(
    int Attempt, string Worker, string? Stage, DateTimeOffset Updated, IReadOnlyList<RunProgress> Runs, IReadOnlyList<string> Notes);

/// <summary>How far a run of a method has come.</summary>
/// <param name="Points">Some of its steps, in order, at most <see cref="Curve.MaxPoints"/>.</param>
public sealed record RunProgress(string Method, int Step, int Steps, IReadOnlyList<CurvePoint> Points);

/// <summary>What one step did; values that a method does not have are absent.</summary>
/// <param name="Step">From 1.</param>
/// <param name="Remember">Loss on retained samples.</param>
/// <param name="Forget">Loss on samples to forget.</param>
/// <param name="Cosine">Cosine of the two gradients, -1..1.</param>
/// <param name="Fired">Share of projections that fired, 0..1.</param>
public sealed record CurvePoint(
    int Step,
    [property: JsonPropertyName("r")] float? Remember,
    [property: JsonPropertyName("f")] float? Forget,
    [property: JsonPropertyName("c")] float? Cosine,
    [property: JsonPropertyName("p")] float? Fired);
