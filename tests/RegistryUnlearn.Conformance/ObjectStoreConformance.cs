using System.Text;
using RegistryUnlearn.Registry;
using Xunit;

namespace RegistryUnlearn.Conformance;

/// <summary>What every <see cref="IObjectStore"/> must do. A back end passes by deriving one class.</summary>
public abstract class ObjectStoreConformance
{
    static CancellationToken Stop => TestContext.Current.CancellationToken;

    /// <summary>A store over this test's own data; called again, another store over the same data.</summary>
    protected abstract IObjectStore Open();

    [Fact]
    public async Task What_is_absent_reads_as_absent()
    {
        var store = Open();
        Assert.Null(await store.ReadAsync("a/b", Stop));
        Assert.Null(await store.OpenReadAsync("a/b", Stop));
        Assert.Null(await store.GetSizeAsync("a/b", Stop));
        Assert.False(await store.DeleteAsync("a/b", Stop));
        Assert.Null(await store.TryReplaceAsync("a/b", Bytes("x"), new ETag("none"), Stop));
        Assert.Empty(await store.ListAsync("", Stop).ToListAsync(Stop));
        Assert.Empty(await store.ListFoldersAsync("a/", Stop).ToListAsync(Stop));
    }

    [Theory]
    [InlineData("")]
    [InlineData("hello")]
    public async Task What_was_created_reads_back_from_another_store(string text)
    {
        var tag = await Open().TryCreateAsync("a/b.json", Bytes(text), Stop);
        var found = await Open().ReadAsync("a/b.json", Stop);
        Assert.NotNull(tag);
        Assert.Equal(text, Text(found));
        Assert.Equal(tag, found!.ETag);
        Assert.Equal(text.Length, await Open().GetSizeAsync("a/b.json", Stop));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(64 << 10)]
    [InlineData(5_000_003)]
    public async Task A_stream_of_any_length_reads_back(int length)
    {
        var content = new byte[length];
        new Random(1).NextBytes(content);
        Assert.True(await Open().TryCreateAsync("m/1/model.onnx", new MemoryStream(content), Stop));
        Assert.Equal(length, await Open().GetSizeAsync("m/1/model.onnx", Stop));
        await using var stream = await Open().OpenReadAsync("m/1/model.onnx", Stop);
        var copy = new MemoryStream();
        await stream!.CopyToAsync(copy, Stop);
        Assert.True(content.AsSpan().SequenceEqual(copy.ToArray()));
    }

    [Fact]
    public async Task Nothing_that_exists_is_created_again()
    {
        var store = Open();
        await store.TryCreateAsync("a", Bytes("first"), Stop);
        await store.TryCreateAsync("b", Bytes("other"), Stop);
        Assert.Null(await store.TryCreateAsync("a", Bytes("second"), Stop));
        Assert.False(await store.TryCreateAsync("a", new MemoryStream(Bytes("second")), Stop));
        Assert.False(await store.TryCopyAsync("b", "a", Stop));
        Assert.False(await store.TryCopyAsync("absent", "a", Stop));
        Assert.Equal("first", Text(await store.ReadAsync("a", Stop)));
    }

    [Fact]
    public async Task Replacing_needs_the_present_tag()
    {
        var store = Open();
        var first = (await store.TryCreateAsync("s", Bytes("1"), Stop))!.Value;
        var second = await store.TryReplaceAsync("s", Bytes("2"), first, Stop);
        Assert.NotNull(second);
        Assert.NotEqual(first, second.Value);
        Assert.Null(await store.TryReplaceAsync("s", Bytes("3"), first, Stop));
        var found = await store.ReadAsync("s", Stop);
        Assert.Equal(("2", second.Value), (Text(found), found!.ETag));
        await store.DeleteAsync("s", Stop);
        Assert.Null(await store.TryReplaceAsync("s", Bytes("4"), second.Value, Stop));
        Assert.Null(await store.ReadAsync("s", Stop));
    }

    [Fact]
    public async Task Copies_are_independent_of_their_source()
    {
        var store = Open();
        await store.TryCreateAsync("from/x", Bytes("content"), Stop);
        Assert.True(await store.TryCopyAsync("from/x", "to/y/z", Stop));
        Assert.True(await store.DeleteAsync("from/x", Stop));
        Assert.Equal("content", Text(await store.ReadAsync("to/y/z", Stop)));
        var refusal = await Assert.ThrowsAsync<RegistryException>(() => store.TryCopyAsync("from/x", "to/new", Stop));
        Assert.Equal((RegistryErrorKind.NotFound, "from/x"), (refusal.Kind, refusal.Path));
    }

    [Fact]
    public async Task A_removed_name_is_free_again_and_its_folder_gone()
    {
        var store = Open();
        await store.TryCreateAsync("m/7/model.onnx", Bytes("a"), Stop);
        Assert.True(await store.DeleteAsync("m/7/model.onnx", Stop));
        Assert.Empty(await store.ListFoldersAsync("", Stop).ToListAsync(Stop));
        Assert.NotNull(await store.TryCreateAsync("m/7", Bytes("b"), Stop));
        Assert.Equal("b", Text(await store.ReadAsync("m/7", Stop)));
    }

    [Fact]
    public async Task Listing_is_by_folder_not_by_prefix_of_a_name()
    {
        var store = Open();
        foreach (var path in new[] { "a/b/c", "a/b/d.json", "a/bc/e", "ab/f", "g" })
            await store.TryCreateAsync(path, Bytes(path), Stop);
        Assert.Equal(["a/b/c:5", "a/b/d.json:10"], await ListedAsync(store, "a/b/"));
        Assert.Equal(["a/b/c:5", "a/b/d.json:10", "a/bc/e:6"], await ListedAsync(store, "a/"));
        Assert.Equal(5, (await ListedAsync(store, "")).Count);
        Assert.Equal(["a", "ab"], (await store.ListFoldersAsync("", Stop).ToListAsync(Stop)).Order(StringComparer.Ordinal));
        Assert.Equal(["b", "bc"], (await store.ListFoldersAsync("a/", Stop).ToListAsync(Stop)).Order(StringComparer.Ordinal));
    }

    [Theory]
    [InlineData("")]
    [InlineData("/etc/passwd")]
    [InlineData("../x")]
    [InlineData("a/../../x")]
    [InlineData("a/./b")]
    [InlineData("a//b")]
    [InlineData("a/")]
    [InlineData("a\\b")]
    [InlineData("a\0b")]
    [InlineData("a\nb")]
    [InlineData("a./b")]
    [InlineData("a /b")]
    public async Task Hostile_paths_are_refused_by_every_operation(string path)
    {
        var store = Open();
        Func<Task>[] operations =
        [
            () => store.ReadAsync(path, Stop),
            () => store.OpenReadAsync(path, Stop),
            () => store.GetSizeAsync(path, Stop),
            () => store.TryCreateAsync(path, Bytes("x"), Stop),
            () => store.TryCreateAsync(path, new MemoryStream(), Stop),
            () => store.TryReplaceAsync(path, Bytes("x"), new ETag("x"), Stop),
            () => store.TryCopyAsync("a", path, Stop),
            () => store.DeleteAsync(path, Stop),
        ];
        foreach (var operation in operations)
            Assert.Equal(RegistryErrorKind.Invalid, (await Assert.ThrowsAsync<RegistryException>(operation)).Kind);
    }

    [Fact]
    public async Task A_stream_that_breaks_leaves_nothing()
    {
        var store = Open();
        await Assert.ThrowsAsync<KilledException>(() => store.TryCreateAsync("m/1/model.onnx", new BreakingStream(300_000), Stop));
        Assert.Null(await store.GetSizeAsync("m/1/model.onnx", Stop));
        Assert.Empty(await store.ListAsync("", Stop).ToListAsync(Stop));
        Assert.True(await store.TryCreateAsync("m/1/model.onnx", new MemoryStream(Bytes("whole")), Stop));
    }

    [Fact]
    public async Task A_cancelled_write_writes_nothing()
    {
        var store = Open();
        var cancelled = new CancellationToken(canceled: true);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => store.TryCreateAsync("a", Bytes("x"), cancelled));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => store.TryCreateAsync("a", new MemoryStream(Bytes("x")), cancelled));
        Assert.Null(await store.GetSizeAsync("a", Stop));
    }

    [Fact]
    public async Task Of_64_creators_one_wins()
    {
        var stores = Enumerable.Range(0, 4).Select(_ => Open()).ToList();
        var winners = await Task.WhenAll(Enumerable.Range(0, 64).Select(i => Task.Run(async () => i % 2 == 0
            ? await stores[i % 4].TryCreateAsync("c/1", Bytes($"{i}"), Stop) is not null
            : await stores[i % 4].TryCreateAsync("c/1", new MemoryStream(Bytes($"{i}")), Stop))));
        var winner = Assert.Single(Enumerable.Range(0, 64), i => winners[i]);
        Assert.Equal($"{winner}", Text(await Open().ReadAsync("c/1", Stop)));
    }

    [Fact]
    public async Task Of_32_increments_none_is_lost()
    {
        await Open().TryCreateAsync("n", Bytes("0"), Stop);
        await Task.WhenAll(Enumerable.Range(0, 32).Select(_ => Task.Run(async () =>
        {
            var store = Open();
            while (true)
            {
                var current = (await store.ReadAsync("n", Stop))!;
                if (await store.TryReplaceAsync("n", Bytes($"{int.Parse(Text(current)!) + 1}"), current.ETag, Stop) is not null)
                    return;
            }
        })));
        Assert.Equal("32", Text(await Open().ReadAsync("n", Stop)));
    }

    [Fact]
    public async Task Readers_see_whole_contents_only()
    {
        var writer = Open();
        var tag = (await writer.TryCreateAsync("w", new byte[100_000], Stop))!.Value;
        var writing = Task.Run(async () =>
        {
            for (byte i = 1; i <= 50; i++)
                tag = (await writer.TryReplaceAsync("w", Enumerable.Repeat(i, 100_000).ToArray(), tag, Stop))!.Value;
        }, Stop);
        var reader = Open();
        while (!writing.IsCompleted)
        {
            var seen = (await reader.ReadAsync("w", Stop))!.Content.ToArray();
            Assert.Equal(100_000, seen.Length);
            Assert.All(seen.Distinct(), b => Assert.Equal(seen[0], b));
        }
        await writing;
    }

    [Fact]
    public async Task Emptying_a_folder_does_not_disturb_who_fills_it()
    {
        var store = Open();
        await Task.WhenAll(Enumerable.Range(0, 4).Select(worker => Task.Run(async () =>
        {
            for (var i = 0; i < 50; i++)
            {
                Assert.NotNull(await store.TryCreateAsync($"f/g/{worker}", Bytes("x"), Stop));
                Assert.True(await store.DeleteAsync($"f/g/{worker}", Stop));
            }
        })));
        Assert.Empty(await store.ListAsync("", Stop).ToListAsync(Stop));
    }

    static async Task<List<string>> ListedAsync(IObjectStore store, string folder) =>
        [.. (await store.ListAsync(folder, Stop).ToListAsync(Stop)).Select(e => $"{e.Path}:{e.Size}").Order(StringComparer.Ordinal)];

    static byte[] Bytes(string text) => Encoding.UTF8.GetBytes(text);

    static string? Text(StoredObject? found) => found is null ? null : Encoding.UTF8.GetString(found.Content.Span);

    sealed class BreakingStream(int length) : MemoryStream(new byte[length])
    {
        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
            Position < Length ? base.ReadAsync(buffer, cancellationToken) : throw new KilledException();

        public override async Task CopyToAsync(Stream destination, int bufferSize, CancellationToken cancellationToken)
        {
            await base.CopyToAsync(destination, bufferSize, cancellationToken);
            throw new KilledException();
        }
    }
}
