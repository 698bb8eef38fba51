using System.Collections.Concurrent;
using System.Globalization;
using System.Text;
using CsCheck;
using RegistryUnlearn.Registry;
using Xunit;

namespace RegistryUnlearn.Conformance;

/// <summary>
/// Random histories of a store: one after another they give what a dictionary gives, and side by side what some order of them gives.
/// </summary>
public abstract class StoreModelConformance
{
    static readonly Gen<string> Paths = Gen.Int[0, 3].Select(i => new[] { "a", "b", "c/d", "c/e" }[i]);
    static readonly Gen<string> Texts = Gen.Int[0, 3].Select(i => new[] { "", "one", "two", "three" }[i]);
    static readonly Gen<Step> Steps = Gen.Select(Gen.Enum<What>(), Paths, Paths, Texts, (what, path, target, text) =>
        new Step(what, path, target, text));

    /// <summary>What one step of a history does.</summary>
    public enum What
    {
        Create,
        CreateFromStream,
        Replace,
        ReplaceStale,
        Copy,
        Delete,
        Read,
        Size,
    }

    static CancellationToken Stop => TestContext.Current.CancellationToken;

    /// <summary>Histories that are tried.</summary>
    protected virtual int Histories => 100;

    /// <summary>A store over new, empty data; called many times, also from several threads.</summary>
    protected abstract IObjectStore OpenNew();

    [Fact]
    public Task Any_history_gives_what_a_dictionary_gives() => Steps.Array[1, 30].SampleAsync(async steps =>
    {
        var store = OpenNew();
        var model = new Dictionary<string, string>();
        foreach (var step in steps)
            Assert.Equal((step, OnModel(step, model)), (step, await OnStoreAsync(step, store)));
        Assert.Equal(model.OrderBy(m => m.Key, StringComparer.Ordinal), await ContentAsync(store));
        var folders = model.Keys.Where(k => k.Contains('/')).Select(k => k.Split('/')[0]).Distinct();
        Assert.Equal(folders, await store.ListFoldersAsync("", Stop).ToListAsync(Stop));
    }, iter: Histories, threads: 1);

    [Fact]
    public void Calls_side_by_side_give_what_some_order_of_them_gives() => Gen.Const(() => new Run(OpenNew())).SampleParallel(
        // A copy asks for two objects, one after the other, and promises no more than that.
        [Steps.Where(s => s.What is not What.Copy)
            .Operation<Run>(s => $"{s.What} {s.Text}", (run, step) => run.Do(step with { Path = "a" }))],
        equal: (one, other) => one.Summary() == other.Summary(),
        maxSequentialOperations: 2, maxParallelOperations: 3, iter: Histories / 2, threads: 2);

    static string OnModel(Step step, Dictionary<string, string> model)
    {
        var exists = model.TryGetValue(step.Path, out var found);
        switch (step.What)
        {
            case What.Create or What.CreateFromStream:
                return Answer(model.TryAdd(step.Path, step.Text));
            case What.Replace:
                if (exists)
                    model[step.Path] = step.Text;
                return Answer(exists);
            case What.ReplaceStale:
                return Answer(false);
            case What.Copy when model.ContainsKey(step.Target):
                return Answer(false);
            case What.Copy:
                if (exists)
                    model[step.Target] = found!;
                return exists ? Answer(true) : "nothing to copy";
            case What.Delete:
                return Answer(model.Remove(step.Path));
            case What.Read:
                return found ?? "absent";
            default:
                return found?.Length.ToString(CultureInfo.InvariantCulture) ?? "absent";
        }
    }

    static async Task<string> OnStoreAsync(Step step, IObjectStore store)
    {
        var bytes = Encoding.UTF8.GetBytes(step.Text);
        switch (step.What)
        {
            case What.Create:
                return Answer(await store.TryCreateAsync(step.Path, bytes, Stop) is not null);
            case What.CreateFromStream:
                return Answer(await store.TryCreateAsync(step.Path, new MemoryStream(bytes), Stop));
            case What.Replace:
                while (await store.ReadAsync(step.Path, Stop) is { ETag: var tag })
                {
                    if (await store.TryReplaceAsync(step.Path, bytes, tag, Stop) is not null)
                        return Answer(true);
                }
                return Answer(false);
            case What.ReplaceStale:
                return Answer(await store.TryReplaceAsync(step.Path, bytes, new ETag("stale"), Stop) is not null);
            case What.Copy:
                return await CopyAsync(step, store);
            case What.Delete:
                return Answer(await store.DeleteAsync(step.Path, Stop));
            case What.Read:
                return Text(await store.ReadAsync(step.Path, Stop)) ?? "absent";
            default:
                return (await store.GetSizeAsync(step.Path, Stop))?.ToString(CultureInfo.InvariantCulture) ?? "absent";
        }
    }

    static async Task<string> CopyAsync(Step step, IObjectStore store)
    {
        try
        {
            return Answer(await store.TryCopyAsync(step.Path, step.Target, Stop));
        }
        catch (RegistryException e) when (e.Kind is RegistryErrorKind.NotFound)
        {
            return "nothing to copy";
        }
    }

    static async Task<List<KeyValuePair<string, string>>> ContentAsync(IObjectStore store)
    {
        var content = new SortedDictionary<string, string>(StringComparer.Ordinal);
        await foreach (var entry in store.ListAsync("", Stop))
        {
            content[entry.Path] = Text(await store.ReadAsync(entry.Path, Stop))!;
            Assert.Equal(entry.Size, content[entry.Path].Length);
        }
        return [.. content];
    }

    static string Answer(bool done) => done ? "done" : "not done";

    static string? Text(StoredObject? found) => found is null ? null : Encoding.UTF8.GetString(found.Content.Span);

    /// <summary>One call of a store; the target is where a copy goes.</summary>
    sealed record Step(What What, string Path, string Target, string Text);

    /// <summary>A store, and what each step on it gave.</summary>
    sealed record Run(IObjectStore Store)
    {
        readonly ConcurrentBag<string> outcomes = [];

        public void Do(Step step) => outcomes.Add($"{step} gives {OnStoreAsync(step, Store).GetAwaiter().GetResult()}");

        /// <summary>Outcomes in no order, and the final content.</summary>
        public string Summary() => string.Join('\n', outcomes.Order(StringComparer.Ordinal)
            .Concat(ContentAsync(Store).GetAwaiter().GetResult().Select(c => $"{c.Key}: {c.Value}")));
    }
}
