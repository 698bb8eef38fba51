using RegistryUnlearn.Conformance;
using RegistryUnlearn.Faults;
using RegistryUnlearn.Registry;

namespace RegistryUnlearn.Worker.Tests.Jobs;

/// <summary>A store that refuses writes for a while costs no work: the same request goes on from the last checkpoint.</summary>
public sealed class RefusingStoreTests
{
    [Theory]
    [InlineData(RegistryErrorKind.Full)]
    [InlineData(RegistryErrorKind.Denied)]
    [InlineData(RegistryErrorKind.Unavailable)]
    public async Task The_last_good_state_is_kept(RegistryErrorKind kind)
    {
        using Lab lab = await Lab.CreateAsync(), unbroken = await Lab.CreateAsync();
        var request = TinyRegistry.Request();
        await unbroken.RunAsync(request);
        // Request, state, start, three stages; a checkpoint, and two more that each remove the one before.
        var refusing = new RefusingStore(lab.Store, kind, writes: 14);
        var refusal = await Assert.ThrowsAsync<RegistryException>(() => lab.RunAsync(request, refusing));
        Assert.Equal((kind, "tiny: no more writes"), (refusal.Kind, refusal.Message));
        var state = await lab.StateAsync(request);
        Assert.Equal((JobStatus.Running, 3), (state.Status, state.Checkpoint?.Runs["unlearn"].Step));
        Assert.Equal(1, Assert.Single(await lab.VersionsAsync()));

        await lab.RunAsync(request);
        Assert.Contains("Goes on from the checkpoint at step 3 of 6", lab.Journal.Notes);
        Assert.Equivalent(
            await TinyRegistry.FilesAsync(unbroken.Store, "tiny/"), await TinyRegistry.FilesAsync(lab.Store, "tiny/"), strict: true);
        Assert.True(lab.IsTidy);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    public async Task A_store_that_takes_nothing_is_refused_before_any_work(int writes)
    {
        using var lab = await Lab.CreateAsync();
        await Assert.ThrowsAsync<RegistryException>(() =>
            lab.RunAsync(TinyRegistry.Request(), new RefusingStore(lab.Store, RegistryErrorKind.Denied, writes)));
        Assert.Empty(lab.Journal.Stages);
        Assert.Equal(1, Assert.Single(await lab.VersionsAsync()));
    }

    /// <summary>Takes a number of writes, then no more.</summary>
    sealed class RefusingStore(IObjectStore inner, RegistryErrorKind kind, int writes) : StoreDecorator(inner)
    {
        int left = writes;

        protected override Task<T> WritingAsync<T>(StoreWrite write, Func<Task<T>> operation, T conflict) =>
            left-- > 0 ? operation() : throw new RegistryException(kind, "tiny", "no more writes");
    }
}
