using System.Text;
using RegistryUnlearn.Conformance;

namespace RegistryUnlearn.Registry.Tests;

public sealed class AuditLogTests
{
    const string FirstDay = ".registry-unlearn/audit/2026/03/05.jsonl";

    static readonly DateTimeOffset Noon = new(2026, 3, 5, 12, 0, 0, TimeSpan.Zero);

    readonly MemoryStore store = new();
    readonly AuditLog log;

    public AuditLogTests() => log = new(store);

    static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_first_line_is_spelled_this_way()
    {
        await log.AppendAsync(Entry(Noon, "job-1"), Stop);
        // The hash is that of Python's hashlib over the line without its hash field.
        const string body = """{"details":{"version":"digits@2"},"event":"published",""" +
            """HASH"prev":"sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855","seq":""" +
            """1,"subject":"job-1","time":"2026-03-05T12:00:00Z"}""";
        const string hash = "\"hash\":\"sha256:ac73335b88b2fe3abab0559dc33e409a4a94e99f7244869cb1633a6a3fe88804\",";
        Assert.Equal(body.Replace("HASH", hash, StringComparison.Ordinal) + "\n", await TextAsync(FirstDay));
    }

    [Fact]
    public async Task Days_are_chained_and_late_entries_join_the_newest()
    {
        foreach (var (days, subject) in new[] { (0, "a"), (0, "b"), (3, "c"), (1, "late"), (4, "d"), (0, "b") })
            await log.AppendAsync(Entry(Noon.AddDays(days), subject), Stop);
        Assert.Equal(["a", "b", "c", "late", "d"], (await log.ReadAsync(Stop).ToListAsync(Stop)).Select(l => l.Entry.Subject));
        Assert.Equal(7, (await log.VerifyAsync(Stop)).Lines);
        Assert.Contains("\"event\":\"closed\"", await TextAsync(FirstDay), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("digits@2", "digits@3")]
    [InlineData("\"seq\":2", "\"seq\":3")]
    [InlineData("\"subject\":\"b\"", "\"subject\":\"x\"")]
    [InlineData("{\"details\"", "{\"added\":1,\"details\"")]
    [InlineData("\n", "\n\n")]
    public async Task A_changed_line_is_found(string old, string changed)
    {
        await ThreeDaysAsync();
        await RewriteAsync(FirstDay, text => text.Replace(old, changed, StringComparison.Ordinal));
        Assert.Contains(FirstDay, (await BrokenAsync()).Path, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_removed_or_swapped_line_is_found()
    {
        await ThreeDaysAsync();
        await RewriteAsync(FirstDay, text => string.Concat(text.Split('\n')[1..].Select(l => l.Length > 0 ? l + "\n" : "")));
        Assert.Equal(FirstDay + ", line 1", (await BrokenAsync()).Path);
    }

    [Theory]
    [InlineData(FirstDay)]
    [InlineData(".registry-unlearn/audit/2026/03/06.jsonl")]
    [InlineData(".registry-unlearn/audit/first.json")]
    public async Task A_removed_file_is_found(string path)
    {
        await ThreeDaysAsync();
        Assert.True(await store.DeleteAsync(path, Stop));
        await BrokenAsync();
    }

    [Fact]
    public async Task Writers_in_any_order_make_one_chain()
    {
        for (var seed = 0; seed < 200; seed++)
        {
            var fresh = new MemoryStore();
            await new Turns(seed).RunAsync([.. Enumerable.Range(0, 4).Select(worker =>
                ((IObjectStore)fresh, (Func<IObjectStore, Task>)(async s =>
            {
                for (var i = 0; i < 3; i++)
                    await new AuditLog(s).AppendAsync(Entry(Noon.AddDays((worker + i) % 3), $"{worker}-{i}"), Stop);
            })))]);
            await new AuditLog(fresh).VerifyAsync(Stop);
            Assert.Equal(12, (await new AuditLog(fresh).ReadAsync(Stop).ToListAsync(Stop)).Select(l => l.Entry.Subject).Distinct().Count());
        }
    }

    [Fact]
    public async Task The_word_closed_is_the_logs_own() =>
        await Assert.ThrowsAsync<ArgumentException>(() => log.AppendAsync(Entry(Noon, "x") with { Event = "closed" }, Stop));

    static AuditEntry Entry(DateTimeOffset time, string subject) =>
        new(time, "published", subject, new Dictionary<string, string> { ["version"] = "digits@2" });

    async Task ThreeDaysAsync()
    {
        foreach (var (days, subject) in new[] { (0, "a"), (0, "b"), (1, "c"), (2, "d") })
            await log.AppendAsync(Entry(Noon.AddDays(days), subject), Stop);
        Assert.Equal(6, (await log.VerifyAsync(Stop)).Lines);
    }

    async Task<RegistryException> BrokenAsync()
    {
        var refusal = await Assert.ThrowsAsync<RegistryException>(() => log.VerifyAsync(Stop));
        Assert.Equal(RegistryErrorKind.Corrupt, refusal.Kind);
        return refusal;
    }

    async Task<string> TextAsync(string path) => Encoding.UTF8.GetString((await store.ReadAsync(path, Stop))!.Content.Span);

    async Task RewriteAsync(string path, Func<string, string> change)
    {
        var stored = (await store.ReadAsync(path, Stop))!;
        Assert.NotNull(await store.TryReplaceAsync(path, Encoding.UTF8.GetBytes(change(await TextAsync(path))), stored.ETag, Stop));
    }
}
