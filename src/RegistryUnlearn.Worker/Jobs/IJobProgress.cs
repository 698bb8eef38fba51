using RegistryUnlearn.Unlearning.Methods;

namespace RegistryUnlearn.Worker.Jobs;

/// <summary>Told what a job is doing, from the thread that does it.</summary>
public interface IJobProgress
{
    /// <summary>A stage begins: fetch, prepare, unlearn, audit or publish.</summary>
    void Stage(string name);

    /// <summary>A run of a method has taken a step.</summary>
    /// <param name="what">The method.</param>
    void Step(string what, int done, int total, StepTrace trace);

    /// <summary>Something worth reading once.</summary>
    void Note(string text);

    /// <summary>The state after a step is safe in the registry.</summary>
    void Saved(int step)
    {
    }
}

/// <summary>Nobody listens.</summary>
public sealed class SilentProgress : IJobProgress
{
    public static SilentProgress Instance { get; } = new();

    public void Stage(string name)
    {
    }

    public void Step(string what, int done, int total, StepTrace trace)
    {
    }

    public void Note(string text)
    {
    }
}
