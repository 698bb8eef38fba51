using RegistryUnlearn.Lineage;

namespace RegistryUnlearn.Worker.Jobs;

/// <summary>How a worker goes about its jobs.</summary>
public sealed record JobOptions
{
    /// <summary>Where jobs keep local copies while they run.</summary>
    /// <value>The user's own folder in the operating system's folder for temporary files.</value>
    public string WorkFolder { get; init; } = Path.Combine(Path.GetTempPath(), $"registry-unlearn-{Environment.UserName}");

    /// <summary>Key of the commitment to the forget set, at least 32 bytes; null for the registry's own key.</summary>
    public ReadOnlyMemory<byte>? CommitmentKey { get; init; }

    /// <summary>Signs what is published; null publishes unsigned. The caller disposes of it.</summary>
    public SigningKey? SigningKey { get; init; }

    /// <summary>Work between two checkpoints. <value>10 seconds</value></summary>
    public TimeSpan CheckpointInterval { get; init; } = TimeSpan.FromSeconds(10);
}
