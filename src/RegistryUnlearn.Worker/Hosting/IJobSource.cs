using RegistryUnlearn.Registry;

namespace RegistryUnlearn.Worker.Hosting;

/// <summary>
/// Something that says which jobs are worth a look. What it says is a hint: it may say the same twice, or too late, or not at all; the
/// listing of the registry finds whatever was missed.
/// </summary>
public interface IJobSource
{
    /// <summary>Adds ids until it is stopped.</summary>
    /// <param name="once">Adds what there is now, then returns.</param>
    Task RunAsync(ReconcileQueue queue, bool once, CancellationToken stop);

    /// <summary>Told after every look, so that a message can be deleted when its job needs no further one.</summary>
    Task LookedAtAsync(JobId job, ReconcileResult result, CancellationToken cancellation);
}
