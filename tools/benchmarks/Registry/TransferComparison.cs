using System.Diagnostics;
using System.Globalization;
using Azure;
using Azure.Storage.Blobs;
using Azure.Storage.Blobs.Models;
using Azure.Storage.Blobs.Specialized;
using RegistryUnlearn.Conformance;
using RegistryUnlearn.Registry;
using RegistryUnlearn.Registry.Azure;
using RegistryUnlearn.Testing;

namespace RegistryUnlearn.Benchmarks.Registry;

/// <summary>
/// A model of 256 MiB into the emulator of Azure Blob Storage and back: by the registry, from file to file and with its digests, and by as
/// many parallel requests of as many bytes from memory to memory, which is what the emulator can do; both send an MD5 with every block,
/// without which the emulator is slower. Both sides take turns; the ratio is that of their medians.
/// </summary>
static class TransferComparison
{
    const int Bytes = 256 << 20;
    const int BlockBytes = 8 << 20;
    const int Parallelism = 4;

    public static async Task RunAsync(string[] args)
    {
        var rounds = args is ["--rounds", var given] ? int.Parse(given, CultureInfo.InvariantCulture) : 5;
        if (Azurite.Missing(Root) is { } missing)
            throw new InvalidOperationException(missing);
        await using var azurite = await Azurite.StartAsync(Root);
        using var folder = new TempFolder();
        var content = new byte[Bytes];
        new Random(1).NextBytes(content);
        var model = Path.Combine(folder.Path, "model.onnx");
        await File.WriteAllBytesAsync(model, content);
        var container = new BlobContainerClient(azurite.ConnectionString, "models", BlobService.Options());
        await container.CreateAsync();
        var times = new double[4][];
        for (var side = 0; side < times.Length; side++)
            times[side] = new double[rounds];
        for (var round = -1; round < rounds; round++)
        {
            double[] seconds =
            [
                .. await OursAsync(RegistryLocation.Parse(container.Uri.AbsoluteUri).Open(_ => null), model, folder.Path, round),
                .. await RawAsync(container.GetBlockBlobClient($"raw-{round}"), content),
            ];
            // The first round warms up.
            for (var side = 0; side < times.Length && round >= 0; side++)
                times[side][round] = seconds[side];
        }
        Print("upload", times[0], times[2]);
        Print("download", times[1], times[3]);
    }

    static string Root { get; } = Find();

    /// <summary>Staging a file as a job's blob, as publishing does, and fetching it, as a job does.</summary>
    static async Task<double[]> OursAsync(IObjectStore store, string model, string folder, int round)
    {
        var blobs = new JobBlobs(store, JobStore.IdOf(Digest.Of("benchmark"u8), "{}"), retry: round + 1);
        var (digest, _) = (default(Digest), 0L);
        var upload = await TimeAsync(async () => (digest, _) = await blobs.PutFileAsync(model));
        var target = Path.Combine(folder, "ours");
        var download = await TimeAsync(() => blobs.DownloadAsync(digest, target));
        File.Delete(target);
        await blobs.DeleteAllAsync();
        return [upload, download];
    }

    static async Task<double[]> RawAsync(BlockBlobClient blob, byte[] content)
    {
        var blocks = Enumerable.Range(0, content.Length / BlockBytes).ToList();
        var ids = blocks.ConvertAll(b => Convert.ToBase64String(BitConverter.GetBytes(b)));
        var parallel = new ParallelOptions { MaxDegreeOfParallelism = Parallelism };
        var upload = await TimeAsync(async () =>
        {
            await Parallel.ForEachAsync(blocks, parallel, async (block, cancellation) => await blob.StageBlockAsync(ids[block],
                new MemoryStream(content, block * BlockBytes, BlockBytes), cancellationToken: cancellation));
            await blob.CommitBlockListAsync(ids);
        });
        var download = await TimeAsync(() => Parallel.ForEachAsync(blocks, parallel, async (block, cancellation) =>
        {
            var range = new BlobDownloadOptions { Range = new HttpRange((long)block * BlockBytes, BlockBytes) };
            using var answer = (await blob.DownloadStreamingAsync(range, cancellation)).Value;
            await answer.Content.ReadExactlyAsync(content.AsMemory(block * BlockBytes, BlockBytes), cancellation);
        }));
        await blob.DeleteAsync();
        return [upload, download];
    }

    static async Task<double> TimeAsync(Func<Task> work)
    {
        var started = Stopwatch.GetTimestamp();
        await work();
        return Stopwatch.GetElapsedTime(started).TotalSeconds;
    }

    static void Print(string what, double[] ours, double[] raw)
    {
        double own = Rate(ours), bare = Rate(raw);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{what,-8}  registry {own,6:F0} MiB/s   emulator {bare,6:F0} MiB/s   ratio {own / bare:F2}"));
    }

    /// <summary>MiB per second at the median.</summary>
    static double Rate(double[] seconds) => (Bytes >> 20) / seconds.Order().ElementAt(seconds.Length / 2);

    static string Find()
    {
        for (var folder = AppContext.BaseDirectory; folder is not null; folder = Path.GetDirectoryName(folder))
            if (File.Exists(Path.Combine(folder, "RegistryUnlearn.sln")))
                return folder;
        throw new InvalidOperationException($"{AppContext.BaseDirectory} lies in no folder with RegistryUnlearn.sln");
    }
}
