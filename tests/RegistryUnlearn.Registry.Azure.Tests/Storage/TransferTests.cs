using Azure.Core;
using Azure.Storage.Blobs.Models;
using RegistryUnlearn.Conformance;
using RegistryUnlearn.Registry.Azure.Tests.Emulator;
using RegistryUnlearn.Registry.Azure.Tests.Http;

namespace RegistryUnlearn.Registry.Azure.Tests.Storage;

/// <summary>Objects of many blocks: what is sent, what is seen meanwhile, and what happens when it breaks off.</summary>
public sealed class TransferTests(EmulatorFixture emulator)
{
    const int Block = 10_000;
    const int Blocks = 12;
    const string Model = "m/1/model.onnx";

    readonly BlobLocation location = emulator.NewContainer();

    static CancellationToken Stop => TestContext.Current.CancellationToken;

    static byte[] Content { get; } = RandomBytes(Block * (Blocks - 1) + 1);

    [Fact]
    public async Task A_lost_acknowledgement_of_an_upload_is_no_conflict()
    {
        var faults = LoseFirstOf(a => a.IsWrite);
        Assert.True(await Open(faults).TryCreateAsync(Model, new MemoryStream(Content), Stop));
        Assert.Equal(Blocks + 1, faults.Injected);
        Assert.Equal(Content, await ReadAsync(Open()));
        Assert.False(await Open().TryCreateAsync(Model, new MemoryStream(Content), Stop));
    }

    [Fact]
    public async Task A_lost_acknowledgement_of_a_small_write_looks_like_a_conflict_and_reads_back()
    {
        var store = Open(LoseFirstOf(a => a.IsWrite));
        Assert.Null(await store.TryCreateAsync("s", "1"u8.ToArray(), Stop));
        var first = (await store.ReadAsync("s", Stop))!;
        Assert.Equal("1"u8.ToArray(), first.Content);
        Assert.Null(await store.TryReplaceAsync("s", "2"u8.ToArray(), first.ETag, Stop));
        var second = (await store.ReadAsync("s", Stop))!;
        Assert.Equal("2"u8.ToArray(), second.Content);
        Assert.False(await store.TryCopyAsync("s", "t", Stop));
        Assert.Equal("2"u8.ToArray(), (await store.ReadAsync("t", Stop))!.Content);
        Assert.False(await store.DeleteAsync("t", Stop));
        Assert.Null(await store.ReadAsync("t", Stop));
    }

    [Fact]
    public async Task An_upload_shows_nothing_before_its_end()
    {
        var store = Open();
        await using var content = new GatedStream(Content, Block * 7);
        var upload = store.TryCreateAsync(Model, content, Stop);
        await content.Reached;
        Assert.Null(await store.GetSizeAsync(Model, Stop));
        Assert.Null(await store.OpenReadAsync(Model, Stop));
        Assert.Empty(await store.ListAsync("", Stop).ToListAsync(Stop));
        Assert.Empty(await store.ListFoldersAsync("", Stop).ToListAsync(Stop));
        content.Open();
        Assert.True(await upload);
        Assert.Equal(Content, await ReadAsync(store));
    }

    [Fact]
    public async Task Two_uploads_of_one_object_do_not_take_each_others_blocks()
    {
        var other = RandomBytes(Content.Length, seed: 2);
        await using GatedStream first = new(Content, Block * 7), second = new(other, Block * 5);
        var uploads = new[] { Open().TryCreateAsync(Model, first, Stop), Open().TryCreateAsync(Model, second, Stop) };
        await Task.WhenAll(first.Reached, second.Reached);
        second.Open();
        Assert.True(await uploads[1]);
        first.Open();
        Assert.False(await uploads[0]);
        Assert.Equal(other, await ReadAsync(Open()));
    }

    [Fact]
    public async Task An_upload_whose_blocks_vanished_can_be_repeated()
    {
        await using var content = new GatedStream(Content, Block * 7);
        var upload = Open().TryCreateAsync(Model, content, Stop);
        await content.Reached;
        Assert.True(await Open().TryCreateAsync(Model, new MemoryStream(new byte[Block * 2]), Stop));
        Assert.True(await Open().DeleteAsync(Model, Stop));
        content.Open();
        Assert.Equal(RegistryErrorKind.Unavailable, (await Assert.ThrowsAsync<RegistryException>(() => upload)).Kind);
        Assert.True(await Open().TryCreateAsync(Model, new MemoryStream(Content), Stop));
        Assert.Equal(Content, await ReadAsync(Open()));
    }

    [Fact]
    public async Task An_interrupted_upload_goes_on_with_the_blocks_it_has_left()
    {
        await using var breaking = new GatedStream(Content, Block * 7, breaks: true);
        await Assert.ThrowsAsync<KilledException>(() => Open().TryCreateAsync(Model, breaking, Stop));
        var changed = (byte[])Content.Clone();
        changed[Block * 3] ^= 1;
        var staged = 0;
        var counting = new FaultTransport(a =>
        {
            if (a.Request.Uri.Query.Contains("comp=block&", StringComparison.Ordinal))
                Interlocked.Increment(ref staged);
            return null;
        });
        Assert.True(await Open(counting).TryCreateAsync(Model, new MemoryStream(changed), Stop));
        // Seven were left: the first is always sent again, and one has changed.
        Assert.Equal(Blocks - 7 + 2, staged);
        Assert.Equal(changed, await ReadAsync(Open()));
    }

    [Fact]
    public async Task Downloads_go_on_where_an_answer_broke_off()
    {
        await Open().TryCreateAsync(Model, new MemoryStream(Content), Stop);
        var faults = new FaultTransport(a => a.Number % 2 == 1 ? HttpFault.TruncatedBody : null);
        Assert.Equal(Content, await ReadAsync(Open(faults)));
        Assert.Equal(Content, (await Open(faults).ReadAsync(Model, Stop))!.Content);
        Assert.True(faults.Injected > Blocks / 2);
    }

    [Fact]
    public async Task An_answer_that_ends_early_in_silence_is_seen()
    {
        await Open().TryCreateAsync(Model, new MemoryStream(Content), Stop);
        var cut = new AnswerTransport(async (_, ask) =>
        {
            var answer = await ask();
            if (answer.ContentStream is { } body)
            {
                var part = new byte[4_000];
                var count = await body.ReadAtLeastAsync(part, part.Length, throwOnEndOfStream: false, Stop);
                answer.ContentStream = new MemoryStream(part, 0, count);
            }
            return answer;
        });
        var store = new AzureBlobStore(EmulatorFixture.Connect(location, cut), "", new() { BlockBytes = Block });
        Assert.Equal(Content, await ReadAsync(store));
        Assert.Equal(Content, (await store.ReadAsync(Model, Stop))!.Content);
    }

    [Theory]
    [InlineData(true, RegistryErrorKind.Unavailable)]
    [InlineData(false, RegistryErrorKind.NotFound)]
    public async Task A_reader_sees_one_version_or_an_error(bool replaced, RegistryErrorKind expected)
    {
        var store = Open();
        var tag = (await store.TryCreateAsync(Model, Content, Stop))!.Value;
        await using var stream = (await store.OpenReadAsync(Model, Stop))!;
        if (replaced)
            await store.TryReplaceAsync(Model, RandomBytes(Content.Length, seed: 3), tag, Stop);
        else
            await store.DeleteAsync(Model, Stop);
        var copy = new MemoryStream();
        var refusal = await Assert.ThrowsAsync<RegistryException>(() => stream.CopyToAsync(copy, Stop));
        Assert.Equal((expected, Model), (refusal.Kind, refusal.Path));
        Assert.True(Content.AsSpan().StartsWith(copy.ToArray()));
        // Within one block nothing can come between.
        await store.TryCreateAsync("small", "abc"u8.ToArray(), Stop);
        await using var small = (await store.OpenReadAsync("small", Stop))!;
        await store.DeleteAsync("small", Stop);
        Assert.Equal(Digest.Of("abc"u8), await Digest.OfAsync(small, Stop));
    }

    [Fact]
    public async Task Only_a_stream_gives_what_is_too_large_to_give_at_once()
    {
        var store = location.Open(_ => null);
        await store.TryCreateAsync("large", new MemoryStream(new byte[IObjectStore.MaxReadBytes + 1]), Stop);
        Assert.Equal(RegistryErrorKind.Invalid,
            (await Assert.ThrowsAsync<RegistryException>(() => store.ReadAsync("large", Stop))).Kind);
        Assert.Equal(IObjectStore.MaxReadBytes + 1, await store.GetSizeAsync("large", Stop));
    }

    [Fact]
    public async Task The_service_checks_what_arrives()
    {
        var spoiled = new AnswerTransport((request, ask) =>
        {
            if (request.Method == RequestMethod.Put)
                request.Content = RequestContent.Create("jello"u8.ToArray());
            return ask();
        });
        var store = new AzureBlobStore(EmulatorFixture.Connect(location, spoiled));
        var refusal = await Assert.ThrowsAsync<RegistryException>(() => store.TryCreateAsync("a", "hello"u8.ToArray(), Stop));
        Assert.Contains(BlobErrorCode.Md5Mismatch.ToString(), refusal.Message, StringComparison.Ordinal);
        Assert.Null(await Open().ReadAsync("a", Stop));
    }

    static FaultTransport LoseFirstOf(Func<HttpAttempt, bool> which) =>
        new(a => a.Attempt is 0 && which(a) ? HttpFault.LostAcknowledgement : null);

    static byte[] RandomBytes(int count, int seed = 1)
    {
        var bytes = new byte[count];
        new Random(seed).NextBytes(bytes);
        return bytes;
    }

    static async Task<byte[]> ReadAsync(IObjectStore store)
    {
        await using var stream = (await store.OpenReadAsync(Model, Stop))!;
        var copy = new MemoryStream();
        await stream.CopyToAsync(copy, Stop);
        return copy.ToArray();
    }

    AzureBlobStore Open(FaultTransport? faults = null) => new(
        EmulatorFixture.Connect(location, faults), "",
        new() { BlockBytes = Block });
}
