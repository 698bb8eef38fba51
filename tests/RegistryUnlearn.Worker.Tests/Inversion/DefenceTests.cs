using System.Text.Json.Nodes;
using RegistryUnlearn.Faults;
using RegistryUnlearn.Onnx.Proto;
using RegistryUnlearn.Worker.Tests.Jobs;

namespace RegistryUnlearn.Worker.Tests.Inversion;

/// <summary>What defences do to the published parameters, by whole jobs.</summary>
public sealed class DefenceTests
{
    [Fact]
    public async Task Pruning_gives_back_the_parents_values_where_they_changed_least()
    {
        float[] parent = Values((await PublishedAsync(null)).Parent), plain = Values((await PublishedAsync(null)).Child);
        var pruned = Values((await PublishedAsync("""{ "prune": 0.5 }""")).Child);
        Assert.DoesNotContain(plain.Zip(parent), p => p.First == p.Second);
        var kept = Enumerable.Range(0, plain.Length).Where(i => pruned[i] != parent[i]).ToList();
        Assert.InRange(kept.Count, 0.45 * plain.Length, 0.55 * plain.Length);
        Assert.All(kept, i => Assert.Equal(plain[i], pruned[i]));
        Assert.Equal(parent, Values((await PublishedAsync("""{ "prune": 1 }""")).Child));
    }

    [Fact]
    public async Task Noise_has_the_size_that_is_asked_for_and_is_the_same_every_time()
    {
        var (parent, child) = await PublishedAsync(null);
        var noisy = await PublishedAsync("""{ "noise": 2 }""");
        float[] before = Values(parent), plain = Values(child), after = Values(noisy.Child);
        var ratio = Size(after.Zip(plain, (a, b) => a - b)) / Size(plain.Zip(before, (a, b) => a - b));
        Assert.InRange(ratio, 1.5, 2.5);
        Assert.Equal(after, Values((await PublishedAsync("""{ "noise": 2 }""")).Child));

        static double Size(IEnumerable<float> values) => Math.Sqrt(values.Sum(v => (double)v * v));
    }

    [Fact]
    public async Task Retained_steps_move_everything_and_the_record_says_so()
    {
        var plain = Values((await PublishedAsync(null)).Child);
        using var lab = await Lab.CreateAsync();
        var child = await PublishedAsync(lab, """{ "retainedSteps": 3 }""");
        Assert.DoesNotContain(plain.Zip(Values(child)), p => p.First == p.Second);
        var files = await lab.FilesAsync();
        Assert.Contains("Defence of the difference", System.Text.Encoding.UTF8.GetString(files["tiny/2/report.html"]));
    }

    [Theory]
    [InlineData("""{ "noise": -1 }""", "publish.defence.noise is -1; give a number from 0 to 100")]
    [InlineData("""{ "shout": 1 }""", "publish.defence.shout is unknown; known are noise, prune, retainedSteps")]
    public async Task Bad_defences_are_refused(string defence, string error)
    {
        var refusal = await Assert.ThrowsAsync<InputException>(() => PublishedAsync(defence));
        Assert.Equal(error, Assert.Single(refusal.Errors));
    }

    static async Task<(ModelProto Parent, ModelProto Child)> PublishedAsync(string? defence)
    {
        using var lab = await Lab.CreateAsync();
        var child = await PublishedAsync(lab, defence);
        return (ModelProto.Parser.ParseFrom((await lab.FilesAsync())["tiny/1/model.onnx"]), child);
    }

    static async Task<ModelProto> PublishedAsync(Lab lab, string? defence)
    {
        await lab.RunAsync(TinyRegistry.Request(r =>
        {
            r["method"]!["options"]!["stop"] = "none";
            if (defence is not null)
                r["publish"]!["defence"] = JsonNode.Parse(defence);
        }));
        return ModelProto.Parser.ParseFrom((await lab.FilesAsync())["tiny/2/model.onnx"]);
    }

    static float[] Values(ModelProto model) => [.. model.Graph.Initializer.SelectMany(tensor =>
        System.Runtime.InteropServices.MemoryMarshal.Cast<byte, float>(tensor.RawData.Span).ToArray())];
}
