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
/// A model of 256 MiB from a file into the emulator of Azure Blob Storage and back: by the registry, with its digests, and by as many
/// parallel requests of as many bytes without any, which is what the emulator can do; both send an MD5 with every block, without which the
/// emulator is slower. The sides take turns; the ratio is that of their medians, and of their fastest rounds in parentheses.
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
                .. await RawAsync(container.GetBlockBlobClient($"raw-{round}"), model, folder.Path),
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

    static async Task<double[]> RawAsync(BlockBlobClient blob, string model, string folder)
    {
        var blocks = Enumerable.Range(0, Bytes / BlockBytes).ToList();
        var ids = blocks.ConvertAll(b => Convert.ToBase64String(BitConverter.GetBytes(b)));
        var parallel = new ParallelOptions { MaxDegreeOfParallelism = Parallelism };
        var upload = await TimeAsync(async () =>
        {
            using var source = File.OpenHandle(model, options: FileOptions.Asynchronous);
            await Parallel.ForEachAsync(blocks, parallel, async (block, cancellation) =>
            {
                var buffer = new byte[BlockBytes];
                await RandomAccess.ReadAsync(source, buffer, (long)block * BlockBytes, cancellation);
                await blob.StageBlockAsync(ids[block], new MemoryStream(buffer), cancellationToken: cancellation);
            });
            await blob.CommitBlockListAsync(ids);
        });
        var file = Path.Combine(folder, "raw");
        var download = await TimeAsync(async () =>
        {
            using var target = File.OpenHandle(file, FileMode.Create, FileAccess.Write, options: FileOptions.Asynchronous);
            await Parallel.ForEachAsync(blocks, parallel, async (block, cancellation) =>
            {
                var buffer = new byte[BlockBytes];
                var range = new BlobDownloadOptions { Range = new HttpRange((long)block * BlockBytes, BlockBytes) };
                using var answer = (await blob.DownloadStreamingAsync(range, cancellation)).Value;
                await answer.Content.ReadExactlyAsync(buffer, cancellation);
                await RandomAccess.WriteAsync(target, buffer, (long)block * BlockBytes, cancellation);
            });
        });
        File.Delete(file);
        await blob.DeleteAsync();
        return [upload, download];
    }

    static async Task<double> TimeAsync(Func<Task> work)
    {
        var started = Stopwatch.GetTimestamp();
        await work();
        return Stopwatch.GetElapsedTime(started).TotalSeconds;
    }

    /// <summary>MiB per second at the median and in the fastest round.</summary>
    static void Print(string what, double[] ours, double[] raw)
    {
        double[] own = [Rate(Median(ours)), Rate(ours.Min())], bare = [Rate(Median(raw)), Rate(raw.Min())];
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{what,-8}  registry {own[0],4:F0} ({own[1]:F0}) MiB/s   emulator {bare[0],4:F0} ({bare[1]:F0}) MiB/s   "
            + $"ratio {own[0] / bare[0]:F2} ({own[1] / bare[1]:F2})"));
    }

    static double Median(double[] seconds) => seconds.Order().ElementAt(seconds.Length / 2);

    static double Rate(double seconds) => (Bytes >> 20) / seconds;

    static string Find()
    {
        for (var folder = AppContext.BaseDirectory; folder is not null; folder = Path.GetDirectoryName(folder))
            if (File.Exists(Path.Combine(folder, "RegistryUnlearn.sln")))
                return folder;
        throw new InvalidOperationException($"{AppContext.BaseDirectory} lies in no folder with RegistryUnlearn.sln");
    }
}
