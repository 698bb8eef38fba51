using System.Security.Cryptography;
using RegistryUnlearn.Registry.Azure.Tests.Emulator;

namespace RegistryUnlearn.Registry.Azure.Tests.Storage;

/// <summary>Runs alone, since it counts what the whole process allocates.</summary>
[Collection(nameof(TransferMemoryTests))]
[CollectionDefinition(nameof(TransferMemoryTests), DisableParallelization = true)]
public sealed class TransferMemoryTests(EmulatorFixture emulator)
{
    const int Size = 48 << 20;
    const long Allowed = 12 << 20;

    static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_transfer_keeps_a_few_blocks_in_memory()
    {
        var client = EmulatorFixture.Connect(emulator.NewContainer());
        var store = new AzureBlobStore(client, "", new() { BlockBytes = 1 << 20, Parallelism = 4 });
        var before = GC.GetTotalAllocatedBytes();
        await store.TryCreateAsync("m/1/model.onnx", new CountingStream(Size), Stop);
        Assert.InRange(GC.GetTotalAllocatedBytes() - before, 1, Allowed);
        before = GC.GetTotalAllocatedBytes();
        await using var stream = (await store.OpenReadAsync("m/1/model.onnx", Stop))!;
        Assert.Equal(await SHA256.HashDataAsync(new CountingStream(Size), Stop), await SHA256.HashDataAsync(stream, Stop));
        Assert.InRange(GC.GetTotalAllocatedBytes() - before, 1, Allowed);
    }
}
