using System.Globalization;
using Microsoft.Extensions.Logging.Abstractions;
using RegistryUnlearn.Auditing;
using RegistryUnlearn.Registry;
using RegistryUnlearn.Unlearning.Methods;
using RegistryUnlearn.Unlearning.Methods.Retrain;
using RegistryUnlearn.Worker.Hosting;
using RegistryUnlearn.Worker.Jobs;
using RegistryUnlearn.Worker.Requests;

namespace RegistryUnlearn.Worker.Oracles;

/// <summary>A pool as it stands.</summary>
/// <param name="Id">To be named as <c>audit.pool</c> in requests.</param>
/// <param name="Folder">Where it lies in the registry.</param>
/// <param name="Trained">Models that this call trained.</param>
/// <param name="Models">All models that are done.</param>
public sealed record PoolReport(string Id, string Folder, int Trained, IReadOnlyList<PooledModel> Models);

/// <summary>
/// Trains the models of a pool and stores each when it is done. Any number of workers may train one pool: each claims a model, by
/// compare-and-swap in the registry, before it trains it; one that is killed loses the model it was at, which another takes over when its
/// claim has not changed for <paramref name="lease"/>.
/// </summary>
/// <param name="worker">Name of this worker, different from that of any other.</param>
public sealed class PoolTrainer(IObjectStore store, TimeProvider clock, JobOptions options, string worker, TimeSpan lease)
{
    /// <summary>How often a worker with nothing left to claim looks whether the others are done.</summary>
    static readonly TimeSpan Look = TimeSpan.FromSeconds(2);

    /// <exception cref="InputException">The request or the recipe is not well-formed.</exception>
    /// <exception cref="RegistryException">Model or data are missing.</exception>
    public async Task<PoolReport> RunAsync(
        string requestJson, string source, PoolRecipe recipe, IJobProgress progress, CancellationToken stop = default)
    {
        var request = RequestReader.Read(requestJson, source);
        using var work = WorkFolder.Open(options.WorkFolder, "pool");
        progress.Stage("fetch");
        var parent = await new ModelRegistry(store).ResolveAsync(request.Model, stop);
        var fetched = await FetchedJob.FetchAsync(store, request, parent, work.Path, stop);
        progress.Stage("prepare");
        using var job = PreparedJob.Prepare(request, fetched);
        var (id, definition) = OraclePool.Define(request, fetched, recipe);
        var pool = new ModelPool(store, id, clock, worker);
        await pool.DefineAsync(definition, stop);

        progress.Stage("train");
        var wanted = PoolMember.Of(recipe, OraclePool.MethodTag(request));
        var (trained, local) = (0, Path.Combine(work.Path, "model.npz"));
        for (var left = wanted; left.Count > 0;)
        {
            var (done, open) = (0, new List<PoolMember>());
            foreach (var member in left)
            {
                stop.ThrowIfCancellationRequested();
                if (await pool.HasAsync(member.Name, stop))
                    continue;
                if (await pool.TryClaimAsync(member.Name, lease, stop) is LeaseAnswer.Acquired claim
                    && await TrainAsync(pool, member, claim.Lease, request, job, recipe, local, progress, stop))
                    done++;
                else
                    open.Add(member);
            }
            (trained, left) = (trained + done, open);
            if (open.Count > 0 && done == 0)
                await Task.Delay(Look, clock, stop);
        }
        return new(id, pool.Folder, trained, await pool.ListAsync(stop));
    }

    /// <summary>Removes the pool of a request and a recipe.</summary>
    /// <returns>How many objects there were.</returns>
    /// <inheritdoc cref="RunAsync"/>
    public async Task<int> DeleteAsync(string requestJson, string source, PoolRecipe recipe, CancellationToken cancellation = default)
    {
        var request = RequestReader.Read(requestJson, source);
        using var work = WorkFolder.Open(options.WorkFolder, "pool");
        var parent = await new ModelRegistry(store).ResolveAsync(request.Model, cancellation);
        var fetched = await FetchedJob.FetchAsync(store, request, parent, work.Path, cancellation);
        return await new ModelPool(store, OraclePool.Define(request, fetched, recipe).Id, clock, worker).DeleteAsync(cancellation);
    }

    /// <returns>False when the claim was lost on the way.</returns>
    async Task<bool> TrainAsync(
        ModelPool pool, PoolMember member, JobLease claim, UnlearningRequest request, PreparedJob job, PoolRecipe recipe, string local,
        IJobProgress progress, CancellationToken stop)
    {
        await using var keeper = new LeaseKeeper(claim, lease, clock, NullLogger.Instance);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(stop, keeper.Lost);
        try
        {
            await Task.Run(() => Train(member, request, job, recipe, local, progress, either.Token), CancellationToken.None);
        }
        catch (OperationCanceledException) when (keeper.Lost.IsCancellationRequested && !stop.IsCancellationRequested)
        {
            return false;
        }
        catch
        {
            await keeper.EndAsync(jobHasEnded: false);
            throw;
        }
        var stored = await pool.AddAsync(member.Name, member.Spelled, member.Index, member.Seed, local, stop);
        File.Delete(local);
        await keeper.EndAsync(jobHasEnded: true);
        progress.Note(string.Create(CultureInfo.InvariantCulture, $"{stored.Name} is done, seed {stored.Seed}, {stored.Parameters}"));
        return true;
    }

    static void Train(
        PoolMember member, UnlearningRequest request, PreparedJob job, PoolRecipe recipe, string local, IJobProgress progress,
        CancellationToken stop)
    {
        var all = job.Task.Forget!.Data.All("training");
        var samples = member.Kind switch
        {
            PoolKind.Oracle => job.RetainedAll,
            PoolKind.Reference => all.Only(PoolMember.Half(member.Index, member.Seed, all.Count), "reference"),
            _ => all,
        };
        using var training = new RetrainMethod().Start(
            job.Task with { Forget = null, Retained = samples, Holdout = null, Seed = member.Seed }, recipe.Training);
        Finish(training);
        if (member.Kind is not PoolKind.Unlearned)
        {
            OraclePool.WriteParameters(training.Result, local);
            return;
        }
        using var unlearning = request.Method.Method.Start(
            job.Task with { Original = training.Result, Seed = member.Seed }, request.Method.Options);
        Finish(unlearning);
        OraclePool.WriteParameters(unlearning.Result, local);

        void Finish(MethodRun run)
        {
            while (!run.IsDone)
            {
                stop.ThrowIfCancellationRequested();
                run.Advance();
                progress.Step(member.Name, run.Step, run.Steps, run.Traces[^1]);
            }
        }
    }
}
