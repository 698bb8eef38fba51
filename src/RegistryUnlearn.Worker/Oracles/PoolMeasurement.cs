using RegistryUnlearn.Auditing;
using RegistryUnlearn.Registry;
using RegistryUnlearn.Training.Buffers;
using RegistryUnlearn.Worker.Jobs;
using RegistryUnlearn.Worker.Requests;

namespace RegistryUnlearn.Worker.Oracles;

/// <summary>Measures the models of a pool on the sets of a job.</summary>
static class PoolMeasurement
{
    /// <summary>The models that are of use to the request: oracles, reference models, and those unlearned by its method.</summary>
    /// <param name="folder">For one local copy at a time.</param>
    /// <exception cref="AuditInputException">The pool is about something else, or has no model.</exception>
    public static async Task<IReadOnlyList<PooledOutputs>> MeasureAsync(
        IObjectStore store, string id, UnlearningRequest request, FetchedJob fetched, PreparedJob job, string folder, TimeProvider clock,
        IJobProgress progress, CancellationToken cancellation)
    {
        var pool = new ModelPool(store, id, clock, "audit");
        await OraclePool.RequireFitsAsync(store, pool, request, fetched, cancellation);
        var tag = OraclePool.MethodTag(request);
        var measured = new List<PooledOutputs>();
        using var parameters = new TensorBlock(job.Task.Original.Layout);
        foreach (var model in await pool.ListAsync(cancellation))
        {
            if (!Enum.TryParse<PoolKind>(model.Kind, ignoreCase: true, out var kind)
                || (kind is PoolKind.Unlearned && !model.Name.StartsWith($"{model.Kind}-{tag}-", StringComparison.Ordinal)))
                continue;
            var local = Path.Combine(folder, "pooled.npz");
            await pool.DownloadAsync(model, local, cancellation);
            OraclePool.ReadParameters(parameters, local);
            File.Delete(local);
            measured.Add(new(
                kind, model.Index, model.Seed, ModelMeasurement.Of(model.Name, job, parameters, keepLogits: false),
                kind is PoolKind.Reference ? Knows(job, model) : null));
        }
        if (measured.Count == 0)
            throw new AuditInputException(
                $"{pool.Folder}: the pool has no model yet; train it with audit oracles, or leave audit.pool out");
        progress.Note($"{measured.Count} models of the pool are measured");
        return measured;
    }

    static bool[] Knows(PreparedJob job, PooledModel model)
    {
        var forget = job.Task.Forget!;
        var half = PoolMember.Half(model.Index, model.Seed, forget.Data.Count);
        return [.. forget.Rows.ToArray().Select(row => half[row])];
    }
}
