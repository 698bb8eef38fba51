using System.Text;
using System.Text.Json.Nodes;
using RegistryUnlearn.Auditing;
using RegistryUnlearn.Conformance;
using RegistryUnlearn.Faults;
using RegistryUnlearn.Registry;
using RegistryUnlearn.Unlearning.Methods;
using RegistryUnlearn.Worker.Jobs;
using RegistryUnlearn.Worker.Oracles;
using RegistryUnlearn.Worker.Tests.Jobs;

namespace RegistryUnlearn.Worker.Tests.Oracles;

public sealed class PoolTrainerTests : IDisposable
{
    const string Recipe = """{ "oracles": 5, "references": 4, "unlearned": 4, "seed": 10, "epochs": 2, "batch": 8 }""";

    readonly TempFolder folder = new();

    static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Each_model_is_trained_once_and_a_second_start_has_nothing_to_do()
    {
        using var lab = await Lab.CreateAsync();
        var report = await TrainAsync(lab, Recipe);
        Assert.Equal(13, report.Trained);
        Assert.Equal([("oracle", 5), ("reference", 4), ("unlearned", 4)], report.Models.CountBy(m => m.Kind).Select(k => (k.Key, k.Value)));
        Assert.Equal(13, report.Models.Select(m => m.Parameters).Distinct().Count());
        Assert.Equal([10UL, 11, 12, 13, 14], report.Models.Where(m => m.Kind == "oracle").Select(m => m.Seed));
        var files = await lab.FilesAsync();
        var again = await TrainAsync(lab, Recipe);
        Assert.Equal((0, report.Id), (again.Trained, again.Id));
        Assert.Equivalent(files, await lab.FilesAsync(), strict: true);

        var grown = await TrainAsync(lab, Recipe.Replace("\"oracles\": 5", "\"oracles\": 6"));
        Assert.Equal((1, report.Id), (grown.Trained, grown.Id));
        var other = await TrainAsync(lab, """{ "oracles": 1, "epochs": 3 }""");
        Assert.NotEqual(report.Id, other.Id);
    }

    [Fact]
    public async Task What_a_stopped_worker_left_is_continued_and_ends_in_the_same_models()
    {
        using Lab whole = await Lab.CreateAsync(), broken = await Lab.CreateAsync();
        var expected = await TrainAsync(whole, Recipe);
        using var stop = new CancellationTokenSource();
        var progress = new Stopper(after: 3, stop);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            () => Trainer(broken.Store, "first").RunAsync(TinyRegistry.Request(), "request.json", Read(Recipe), progress, stop.Token));
        var rest = await TrainAsync(broken, Recipe);
        Assert.Equal(10, rest.Trained);
        Assert.Equal(expected.Models, rest.Models);
    }

    [Fact]
    public async Task Workers_on_one_registry_share_the_models()
    {
        using var lab = await Lab.CreateAsync();
        var reports = await Task.WhenAll(TrainAsync(lab, Recipe, "a"), TrainAsync(lab, Recipe, "b"));
        Assert.Equal(13, reports.Sum(r => r.Trained));
        Assert.All(reports, r => Assert.Equal(13, r.Models.Count));
        Assert.DoesNotContain((await lab.FilesAsync()).Keys, p => p.Contains("/leases/"));
    }

    [Fact]
    public void Halves_of_a_pair_complement_each_other()
    {
        for (var pair = 0; pair < 3; pair++)
        {
            var first = PoolMember.Half(2 * pair, 7 + (ulong)(2 * pair), 41);
            var second = PoolMember.Half((2 * pair) + 1, 8 + (ulong)(2 * pair), 41);
            Assert.Equal(first, second.Select(known => !known));
            Assert.Equal((20, 21), (first.Count(known => known), second.Count(known => known)));
        }
        Assert.NotEqual(PoolMember.Half(0, 7, 41), PoolMember.Half(2, 9, 41));
    }

    [Fact]
    public async Task A_run_is_audited_with_the_pool()
    {
        using var lab = await Lab.CreateAsync();
        var id = (await TrainAsync(lab, Recipe)).Id;
        var outcome = await lab.RunAsync(TinyRegistry.Request(r =>
            r["audit"] = JsonNode.Parse($$"""{ "pool": "{{id}}", "gates": [{ "metric": "attack.lira.auc", "atMost": 1 }] }""")));
        var pool = outcome.Audit!.Pool!;
        Assert.Equal((5, 4, 4, 5), (pool.Oracles, pool.References, pool.Unlearned, outcome.Audit.OracleCount));
        foreach (var attack in PoolAudit.Attacks)
        {
            Assert.Equal(
                [RowKind.Before, RowKind.After, .. Enumerable.Repeat(RowKind.Oracle, 5)],
                pool.Attacks.Where(a => a.Attack == attack).Select(a => a.Kind));
            Assert.Contains(MetricCatalogue.PoolAuc(attack), outcome.Audit.After.Metrics.Keys);
            Assert.Contains(MetricCatalogue.PoolTpr(attack, 0.001), outcome.Audit.After.Metrics.Keys);
        }
        // Forty unseen samples resolve neither 0.1 % nor 1 %.
        Assert.All(pool.Attacks.SelectMany(a => a.Rates), rate => Assert.False(rate.IsResolved));
        Assert.NotNull(pool.Klom);
        Assert.NotNull(pool.ULira);
        var metrics = Encoding.UTF8.GetString((await lab.FilesAsync())["tiny/2/metrics.json"]);
        Assert.DoesNotContain("train-", metrics);
    }

    [Fact]
    public async Task A_pool_of_another_request_is_refused()
    {
        using var lab = await Lab.CreateAsync();
        var id = (await TrainAsync(lab, """{ "oracles": 1, "epochs": 1 }""")).Id;
        var refusal = await Assert.ThrowsAsync<AuditInputException>(() => lab.RunAsync(TinyRegistry.Request(r =>
        {
            r["forget"]!["ids"] = new JsonArray("train-1");
            r["audit"] = JsonNode.Parse($$"""{ "pool": "{{id}}" }""");
        })));
        Assert.Equal($".registry-unlearn/pools/{id}/pool.json: the pool was made for another model, other data or another forget set; "
            + "train a pool for this request, or leave audit.pool out", refusal.Message);
        var none = await Assert.ThrowsAsync<AuditInputException>(() => lab.RunAsync(TinyRegistry.Request(r =>
            r["audit"] = JsonNode.Parse($$"""{ "pool": "{{new string('0', 64)}}" }"""))));
        Assert.Contains("there is no such pool", none.Message);
    }

    [Fact]
    public async Task The_pool_names_no_sample_and_can_be_removed()
    {
        using var lab = await Lab.CreateAsync();
        var before = await lab.FilesAsync();
        await TrainAsync(lab, Recipe);
        var files = await lab.FilesAsync();
        Assert.All(files.Keys.Except(before.Keys), path => Assert.DoesNotContain("train-", Encoding.UTF8.GetString(files[path])));
        var removed = await Trainer(lab.Store, "a").DeleteAsync(TinyRegistry.Request(), "request.json", Read(Recipe), Stop);
        Assert.Equal(files.Count - before.Count, removed);
        Assert.Equivalent(before, await lab.FilesAsync(), strict: true);
    }

    [Theory]
    [InlineData("""{ "references": 3 }""", "recipe.references is 3; give an even number, since two and two complement each other")]
    [InlineData("""{ "oracles": 0 }""", "recipe asks for no model; give oracles, references or unlearned")]
    [InlineData("""{ "augmentation": "flips" }""", "recipe.augmentation is \"flips\"; give one of none")]
    [InlineData("""{ "batch": 0 }""", "recipe.batch is 0; give a number from 1 to 65536")]
    public void A_bad_recipe_is_refused(string json, string error) =>
        Assert.Equal(error, Assert.Single(Assert.Throws<InputException>(() => Read(json)).Errors));

    public void Dispose() => folder.Dispose();

    Task<PoolReport> TrainAsync(Lab lab, string recipe, string worker = "a") =>
        Trainer(lab.Store, worker).RunAsync(TinyRegistry.Request(), "request.json", Read(recipe), SilentProgress.Instance, Stop);

    PoolTrainer Trainer(IObjectStore store, string worker) => new(
        store, TimeProvider.System, new JobOptions { WorkFolder = Path.Combine(folder.Path, worker) }, worker, TimeSpan.FromMinutes(5));

    PoolRecipe Read(string json)
    {
        var path = Path.Combine(folder.Path, $"{Guid.NewGuid():N}.json");
        File.WriteAllText(path, json);
        return PoolRecipe.Load(path);
    }

    /// <summary>Stops the work when so many models are done.</summary>
    sealed class Stopper(int after, CancellationTokenSource stop) : IJobProgress
    {
        int done;

        public void Stage(string name)
        {
        }

        public void Step(string what, int done, int total, StepTrace trace)
        {
        }

        public void Note(string text)
        {
            if (++done == after)
                stop.Cancel();
        }
    }
}
