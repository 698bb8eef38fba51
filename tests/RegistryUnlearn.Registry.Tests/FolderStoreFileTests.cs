using RegistryUnlearn.Conformance;

namespace RegistryUnlearn.Registry.Tests;

/// <summary>What concerns files, beyond the contract of every store.</summary>
public sealed class FolderStoreFileTests : IDisposable
{
    readonly TempFolder folder = new();

    static CancellationToken Stop => TestContext.Current.CancellationToken;

    public void Dispose() => folder.Dispose();

    [Fact]
    public void The_root_must_exist()
    {
        var refusal = Assert.Throws<RegistryException>(() => new FolderStore(Path.Combine(folder.Path, "absent")));
        Assert.Equal(RegistryErrorKind.NotFound, refusal.Kind);
    }

    [Fact]
    public async Task Reading_writes_nothing()
    {
        var store = new FolderStore(folder.Path);
        Assert.Null(await store.ReadAsync("a/b", Stop));
        Assert.Empty(await store.ListAsync("", Stop).ToListAsync(Stop));
        Assert.Empty(Directory.GetFileSystemEntries(folder.Path));
    }

    [Theory]
    [InlineData(".registry-unlearn/tmp/x")]
    [InlineData(".registry-unlearn/locks/00")]
    [InlineData(".registry-unlearn/tmp")]
    public async Task The_stores_own_folders_are_out_of_reach(string path)
    {
        var store = new FolderStore(folder.Path);
        await store.TryCreateAsync("a", new byte[] { 1 }, Stop);
        await store.DeleteAsync("a", Stop);
        Assert.Equal(RegistryErrorKind.Invalid, (await Assert.ThrowsAsync<RegistryException>(() =>
            store.TryCreateAsync(path, new byte[1], Stop))).Kind);
        Assert.Empty(await store.ListAsync("", Stop).ToListAsync(Stop));
        Assert.Empty(await store.ListFoldersAsync(".registry-unlearn/", Stop).ToListAsync(Stop));
        Assert.Empty(Directory.GetFiles(Path.Combine(folder.Path, ".registry-unlearn/tmp")));
    }

    [Fact]
    public async Task Of_two_creators_one_wins_every_race()
    {
        var store = new FolderStore(folder.Path);
        for (var race = 0; race < 200; race++)
        {
            using var start = new Barrier(2);
            var winners = await Task.WhenAll(Enumerable.Range(0, 2).Select(i => Task.Run(async () =>
            {
                start.SignalAndWait(Stop);
                return await store.TryCreateAsync($"race-{race}", new[] { (byte)i }, Stop) is not null;
            })));
            Assert.Single(winners, won => won);
            Assert.Equal(winners[0] ? 0 : 1, (await store.ReadAsync($"race-{race}", Stop))!.Content.Span[0]);
        }
    }

    [Fact]
    public async Task Links_do_not_lead_out_of_the_root()
    {
        using var outside = new TempFolder();
        outside.Write("secret.txt", "secret");
        Directory.CreateDirectory(Path.Combine(folder.Path, "m"));
        Directory.CreateSymbolicLink(Path.Combine(folder.Path, "m/1"), outside.Path);
        File.CreateSymbolicLink(Path.Combine(folder.Path, "m/model.onnx"), Path.Combine(outside.Path, "secret.txt"));
        var store = new FolderStore(folder.Path);
        foreach (var path in new[] { "m/1/secret.txt", "m/1/new", "m/model.onnx" })
        {
            Func<Task>[] operations =
                [() => store.ReadAsync(path, Stop), () => store.TryCreateAsync(path, new byte[1], Stop), () =>
                    store.DeleteAsync(path, Stop)];
            foreach (var operation in operations)
                Assert.Equal(RegistryErrorKind.Denied, (await Assert.ThrowsAsync<RegistryException>(operation)).Kind);
        }
        Assert.Empty(await store.ListAsync("", Stop).ToListAsync(Stop));
        Assert.Equal("secret", await File.ReadAllTextAsync(Path.Combine(outside.Path, "secret.txt"), Stop));
    }

    [Fact]
    public async Task A_file_and_a_folder_do_not_share_a_name()
    {
        var store = new FolderStore(folder.Path);
        await store.TryCreateAsync("a/b", new byte[1], Stop);
        Assert.Equal(RegistryErrorKind.Conflict, (await Assert.ThrowsAsync<RegistryException>(() =>
            store.TryCreateAsync("a", new byte[1], Stop))).Kind);
        await Assert.ThrowsAsync<RegistryException>(() => store.TryCreateAsync("a/b/c", new byte[1], Stop));
        Assert.Empty(Directory.GetFiles(Path.Combine(folder.Path, ".registry-unlearn/tmp")));
    }

    [Fact]
    public async Task Only_old_left_overs_are_swept()
    {
        var clock = new FixedClock { Now = DateTimeOffset.UtcNow };
        var old = folder.Write(".registry-unlearn/tmp/old", "half");
        var young = folder.Write(".registry-unlearn/tmp/young", "half");
        File.SetLastWriteTimeUtc(old, clock.Now.UtcDateTime.AddHours(-25));
        File.SetLastWriteTimeUtc(young, clock.Now.UtcDateTime.AddHours(-23));
        await new FolderStore(folder.Path, new() { Clock = clock }).TryCreateAsync("a", new byte[1], Stop);
        Assert.Equal((false, true), (File.Exists(old), File.Exists(young)));
    }

    [Fact]
    public async Task A_lock_that_is_held_is_waited_for_and_one_left_behind_is_not()
    {
        var store = new FolderStore(folder.Path, new() { LockTimeout = TimeSpan.FromMilliseconds(50) });
        var tag = (await store.TryCreateAsync("a", new byte[] { 1 }, Stop))!.Value;
        tag = (await store.TryReplaceAsync("a", new byte[] { 2 }, tag, Stop))!.Value;
        var file = Assert.Single(Directory.GetFiles(Path.Combine(folder.Path, ".registry-unlearn/locks")));
        await using (new FileStream(file, FileMode.Open, FileAccess.ReadWrite, FileShare.None))
        {
            var refusal = await Assert.ThrowsAsync<RegistryException>(() => store.TryReplaceAsync("a", new byte[] { 3 }, tag, Stop));
            Assert.Equal(RegistryErrorKind.Unavailable, refusal.Kind);
            Assert.Contains(file, refusal.Message, StringComparison.Ordinal);
        }
        Assert.NotNull(await store.TryReplaceAsync("a", new byte[] { 4 }, tag, Stop));
    }

    [Theory]
    [InlineData(28, RegistryErrorKind.Full, "Free space")]
    [InlineData(122, RegistryErrorKind.Full, "raise the quota")]
    [InlineData(30, RegistryErrorKind.Denied, "read-only")]
    [InlineData(18, RegistryErrorKind.Denied, "hard link")]
    [InlineData(5, RegistryErrorKind.Unavailable, "Check the disk")]
    public void Refusals_of_the_disk_say_what_to_do(int error, RegistryErrorKind kind, string remedy)
    {
        var translated = FolderErrors.Translate(new IOException("refused", error), "m/1/model.onnx")!;
        Assert.Equal((kind, "m/1/model.onnx"), (translated.Kind, translated.Path));
        Assert.Contains(remedy, translated.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_full_disk_is_named_and_leaves_nothing()
    {
        var store = new FolderStore(folder.Path);
        var refusal = await Assert.ThrowsAsync<RegistryException>(() => store.TryCreateAsync("m/1/model.onnx", new FullDisk(), Stop));
        Assert.Equal(RegistryErrorKind.Full, refusal.Kind);
        Assert.Empty(Directory.GetFiles(folder.Path, "*", SearchOption.AllDirectories));
    }

    [Fact]
    public void A_folder_without_permission_is_named()
    {
        var translated = FolderErrors.Translate(new UnauthorizedAccessException("denied"), "m/1/model.onnx")!;
        Assert.Equal(RegistryErrorKind.Denied, translated.Kind);
        Assert.Null(FolderErrors.Translate(new InvalidOperationException(), "m"));
    }

    sealed class FullDisk : MemoryStream
    {
        public override Task CopyToAsync(Stream destination, int bufferSize, CancellationToken cancellationToken) =>
            throw new IOException("No space left on device", 28);
    }
}
