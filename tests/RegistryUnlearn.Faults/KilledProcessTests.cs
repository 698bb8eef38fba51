using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using RegistryUnlearn.Conformance;

namespace RegistryUnlearn.Faults;

/// <summary>
/// The command itself, killed by the operating system at a given point and run again, ends in the bytes of an unbroken run.
/// </summary>
public sealed partial class KilledProcessTests(KilledProcessTests.UnbrokenRun unbroken) : IClassFixture<KilledProcessTests.UnbrokenRun>
{
    const int Steps = 12;

    [Theory]
    [InlineData("fetch")]
    [InlineData("prepare")]
    [InlineData("unlearn")]
    [InlineData("step 1")]
    [InlineData("step 6")]
    [InlineData("step 11")]
    [InlineData("audit")]
    [InlineData("publish")]
    public async Task Killed_at(string point)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "there is no SIGKILL here");
        using var site = new Site();
        using (var killed = site.Start())
        {
            Assert.True(await killed.UntilAsync(() => site.IsAt(point, killed.Error)), killed.Error);
            killed.Kill();
            var (code, _, _) = await killed.EndAsync();
            Assert.Equal(137, code);
        }
        var (rerun, answer, error) = await site.RunAsync();
        Assert.True(rerun == 0, error);
        if (point.StartsWith("step"))
            Assert.InRange(site.ResumedAt(error), int.Parse(point[5..]), Steps);
        site.MustEqual(unbroken.Site);
        Assert.False(JsonNode.Parse(answer)!["alreadyDone"]!.GetValue<bool>() && point != "publish");

        var (again, second, _) = await site.RunAsync();
        Assert.Equal((0, true), (again, JsonNode.Parse(second)!["alreadyDone"]!.GetValue<bool>()));
        site.MustEqual(unbroken.Site);
    }

    [Fact]
    public async Task Terminated_in_training_it_leaves_a_checkpoint()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "there is no SIGTERM here");
        using var site = new Site();
        // Only being told to end makes a checkpoint: the interval is longer than the run.
        using (var told = site.Start("3600"))
        {
            Assert.True(await told.UntilAsync(() => told.Error.Contains("step 1/")), told.Error);
            told.Terminate();
            var (code, output, error) = await told.EndAsync();
            Assert.True(code == 130, error);
            Assert.True(JsonNode.Parse(output)!["stopped"]!.GetValue<bool>());
        }
        var stopped = site.CheckpointStep;
        Assert.InRange(stopped, 1, Steps - 1);
        var (rerun, _, again) = await site.RunAsync();
        Assert.Equal((0, stopped), (rerun, site.ResumedAt(again)));
        site.MustEqual(unbroken.Site);
    }

    [GeneratedRegex(@"Goes on from the checkpoint at step (\d+) of 12")]
    static partial Regex Resumption { get; }

    public sealed class UnbrokenRun : IAsyncLifetime
    {
        internal Site Site { get; } = new();

        public async ValueTask InitializeAsync()
        {
            var (code, _, error) = await Site.RunAsync();
            Assert.True(code == 0, error);
        }

        public ValueTask DisposeAsync()
        {
            Site.Dispose();
            return ValueTask.CompletedTask;
        }
    }

    /// <summary>A copy of the sample registry, a short request and a folder for temporary files.</summary>
    internal sealed class Site : IDisposable
    {
        readonly TempFolder folder = new();

        public Site()
        {
            foreach (var source in Directory.EnumerateFiles(RealProcess.Sample, "*", SearchOption.AllDirectories))
            {
                var target = Path.Combine(Registry, Path.GetRelativePath(RealProcess.Sample, source));
                Directory.CreateDirectory(Path.GetDirectoryName(target)!);
                File.Copy(source, target);
            }
            Directory.CreateDirectory(Temp);
            File.WriteAllBytes(Key, new byte[32]);
            var request = JsonNode.Parse(File.ReadAllText(Path.Combine(Registry, "requests/forget-canaries.json")))!;
            request["method"]!["options"] = new JsonObject { ["steps"] = Steps, ["evaluateEvery"] = 4 };
            request["audit"] = new JsonObject { ["oracles"] = "requests/forget-canaries.oracles.json", ["gates"] = new JsonArray() };
            File.WriteAllText(Request, request.ToJsonString());
        }

        string Registry => Path.Combine(folder.Path, "registry");

        string Temp => Path.Combine(folder.Path, "temp");

        string Key => Path.Combine(folder.Path, "key");

        string Request => Path.Combine(folder.Path, "request.json");

        public RealProcess Start(string interval = "0") => RealProcess.Start(
            Temp, "run", Request, "--registry", Registry, "--commitment-key", Key, "--checkpoint-interval", interval, "--output", "json");

        public async Task<(int Code, string Output, string Error)> RunAsync()
        {
            using var running = Start();
            return await running.EndAsync();
        }

        public bool IsAt(string point, string error) => point.StartsWith("step")
            ? CheckpointStep >= int.Parse(point[5..])
            : error.Split('\n').Any(line => line.TrimEnd().EndsWith("s  " + point, StringComparison.Ordinal));

        /// <summary>The step of the checkpoint that the job has; 0 without one.</summary>
        public int CheckpointStep
        {
            get
            {
                var jobs = Path.Combine(Registry, ".registry-unlearn/jobs");
                if (!Directory.Exists(jobs)
                    || Directory.EnumerateFiles(jobs, "state.json", SearchOption.AllDirectories).FirstOrDefault() is not { } file)
                    return 0;
                using var state = JsonDocument.Parse(File.ReadAllBytes(file));
                return state.RootElement.TryGetProperty("checkpoint", out var checkpoint) && checkpoint.ValueKind is JsonValueKind.Object
                    ? checkpoint.GetProperty("runs").GetProperty("unlearn").GetProperty("step").GetInt32() : 0;
            }
        }

        public int ResumedAt(string error) => int.Parse(Resumption.Match(error).Groups[1].Value);

        /// <summary>One new version with the same model and measurements; nothing left in blobs and among temporary files.</summary>
        public void MustEqual(Site other)
        {
            foreach (var file in new[] { "model.onnx", "metrics.json" })
                Assert.Equal(File.ReadAllBytes(other.Version(file)), File.ReadAllBytes(Version(file)));
            var versions = Directory.EnumerateDirectories(Path.Combine(Registry, "digits")).Select(d => Path.GetFileName(d));
            Assert.Equal(["1", "2"], versions.Order());
            var jobs = Path.Combine(Registry, ".registry-unlearn/jobs");
            Assert.Single(Directory.EnumerateDirectories(jobs));
            Assert.DoesNotContain(Directory.EnumerateFiles(jobs, "*", SearchOption.AllDirectories), f => f.Contains("/blobs/"));
            var log = Path.Combine(Registry, ".registry-unlearn/audit");
            Assert.Single(File.ReadAllLines(Directory.EnumerateFiles(log, "*.jsonl", SearchOption.AllDirectories).Single()));
            Assert.Empty(Directory.EnumerateFileSystemEntries(Path.Combine(Temp, "registry-unlearn-" + Environment.UserName)));
        }

        string Version(string file) => Path.Combine(Registry, "digits/2", file);

        public void Dispose() => folder.Dispose();
    }
}
