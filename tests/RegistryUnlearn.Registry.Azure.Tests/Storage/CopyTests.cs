using Azure;
using Azure.Core;
using RegistryUnlearn.Registry.Azure.Tests.Emulator;
using RegistryUnlearn.Registry.Azure.Tests.Http;

namespace RegistryUnlearn.Registry.Azure.Tests.Storage;

/// <summary>
/// Copies that the service makes after it has answered. The emulator copies at once: its answers are changed to say otherwise.
/// </summary>
public sealed class CopyTests(EmulatorFixture emulator)
{
    const string Status = "x-ms-copy-status";

    readonly BlobLocation location = emulator.NewContainer();

    static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_copy_is_waited_for()
    {
        var looks = 0;
        var store = Open(request => request.Method == RequestMethod.Put || ++looks < 3 ? "pending" : "success");
        await store.TryCreateAsync("a", "content"u8.ToArray(), Stop);
        Assert.True(await store.TryCopyAsync("a", "b", Stop));
        Assert.Equal(3, looks);
        Assert.Equal("content"u8.ToArray(), (await store.ReadAsync("b", Stop))!.Content);
    }

    [Fact]
    public async Task A_copy_under_way_is_absent_and_not_made_again()
    {
        var status = "pending";
        var store = Open(_ => status);
        await store.TryCreateAsync("a", "content"u8.ToArray(), Stop);
        var copying = store.TryCopyAsync("a", "b", Stop);
        await Task.Delay(50, Stop);
        Assert.False(copying.IsCompleted);
        Assert.Null(await store.ReadAsync("b", Stop));
        Assert.Null(await store.OpenReadAsync("b", Stop));
        Assert.Null(await store.GetSizeAsync("b", Stop));
        var twin = store.TryCopyAsync("a", "b", Stop);
        status = "success";
        Assert.True(await copying);
        Assert.False(await twin);
    }

    [Fact]
    public async Task A_copy_that_the_service_gives_up_leaves_nothing()
    {
        var status = "failed";
        var store = Open(_ => status);
        await store.TryCreateAsync("a", "content"u8.ToArray(), Stop);
        var refusal = await Assert.ThrowsAsync<RegistryException>(() => store.TryCopyAsync("a", "b", Stop));
        Assert.Equal((RegistryErrorKind.Unavailable, "b"), (refusal.Kind, refusal.Path));
        status = "success";
        Assert.Null(await store.GetSizeAsync("b", Stop));
        Assert.True(await store.TryCopyAsync("a", "b", Stop));
    }

    /// <summary>A store that hears of every copy what the function says.</summary>
    AzureBlobStore Open(Func<Request, string> status)
    {
        var answers = new AnswerTransport(async (request, ask) =>
        {
            Response answer = await ask();
            return answer.Headers.Contains(Status) ? StubResponse.From(answer, (Status, status(request))) : answer;
        });
        return new(EmulatorFixture.Connect(location, answers), "", new() { CopyPoll = TimeSpan.FromMilliseconds(5) });
    }
}
