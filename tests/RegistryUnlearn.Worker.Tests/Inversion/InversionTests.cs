using System.IO.Compression;
using System.Text.Json.Nodes;
using Google.Protobuf;
using RegistryUnlearn.Auditing.Inversion;
using RegistryUnlearn.Conformance;
using RegistryUnlearn.Faults;
using RegistryUnlearn.Onnx.Losses;
using RegistryUnlearn.Onnx.Steps;
using RegistryUnlearn.Registry;
using RegistryUnlearn.Training.Buffers;
using RegistryUnlearn.Training.Runtime;
using RegistryUnlearn.Unlearning.Data;
using RegistryUnlearn.Worker.Inversion;
using RegistryUnlearn.Worker.Jobs;
using RegistryUnlearn.Worker.Models;

namespace RegistryUnlearn.Worker.Tests.Inversion;

public sealed class InversionTests : IDisposable
{
    static readonly Normalization Range = new(1, [0], [1]);

    readonly TempFolder folder = new();
    readonly ClassifierModel model;

    public InversionTests()
    {
        var path = Path.Combine(folder.Path, "model.onnx");
        File.WriteAllBytes(path, TinyRegistry.Model().ToByteArray());
        model = ClassifierModel.Load(path);
    }

    [Fact]
    public void The_gradient_of_the_cost_is_that_of_differences()
    {
        using var difference = Filled(seed: 4);
        using var session = new GraphSession(InversionGraph.Features(model.Forward, TinyRegistry.Classes));
        using var step = new BoundStep(session, _ => 1, [model.Initial.As(""), difference.As(InversionGraph.Target)]);
        step["labels"].Longs[0] = 1;
        var input = step["input"].Floats;
        Rng.For(3, "input", 0).FillNormal(input);
        step.Run();
        var exact = step[InversionGraph.InputGradient].Floats.ToArray();
        Assert.Contains(exact, g => Math.Abs(g) > 1e-3);
        for (var i = 0; i < input.Length; i++)
        {
            const float reach = 1e-2f;
            var at = input[i];
            double high = Cost(at + reach), low = Cost(at - reach);
            input[i] = at;
            Assert.Equal((high - low) / (2 * reach), exact[i], 2e-3);

            double Cost(float value)
            {
                step["input"].Floats[i] = value;
                step.Run();
                return step.Scalar(StepGraph.Loss);
            }
        }
    }

    /// <summary>Unlearning by one step up the gradient of one sample hands the sample over.</summary>
    [Fact]
    public void A_sample_is_found_in_the_difference_of_one_step()
    {
        float[] secret = [.9f, .1f, .7f, .3f, .05f, .8f];
        using var child = Ascended(secret, label: 1);
        using var attack = new FeatureInversion(model.Forward, TinyRegistry.Classes, model.Initial, child, new InputRange(Range, 1));
        var options = new FeatureOptions(Iterations: 400, Restarts: 3, Smoothness: 0);
        var found = attack.Search([1], options, seed: 1);
        Assert.InRange(found.Cosine, .99, 1.0001);
        Assert.InRange(InputRange.Psnr(found.Sample, secret), 20, 100);
        Assert.All(found.Sample, value => Assert.InRange(value, 0, 1));
        Assert.Equal(found.Sample, attack.Search([1], options, seed: 1).Sample);
    }

    [Fact]
    public void The_label_that_was_pushed_down_has_the_first_rank()
    {
        for (var label = 0; label < TinyRegistry.Classes; label++)
        {
            using var child = Ascended([.9f, .1f, .7f, .3f, .05f, .8f], label, rate: .5f);
            var drops = LabelInversion.Drops(
                model.Forward, TinyRegistry.Classes, model.Initial, child, new InputRange(Range, 1), new LabelOptions(), seed: 1);
            Assert.Equal(1, LabelInversion.Rank(drops, label));
        }
    }

    [Theory]
    [InlineData(new[] { 3.0, 1, 2 }, 0, 1)]
    [InlineData(new[] { 3.0, 1, 2 }, 1, 3)]
    [InlineData(new[] { 0.0, 0, 0 }, 2, 2)]
    [InlineData(new[] { 5.0, 1, 1 }, 1, 2.5)]
    public void Ranks_by_hand(double[] drops, int label, double rank) => Assert.Equal(rank, LabelInversion.Rank(drops, label));

    [Fact]
    public void Signal_to_noise_by_hand()
    {
        Assert.Equal(20, InputRange.Psnr([.5f, .5f], [.6f, .4f]), 1e-5);
        Assert.Equal(100, InputRange.Psnr([.5f], [.5f]));
        var range = new InputRange(new Normalization(255, [.5f, .2f], [.25f, .5f]), 2);
        Assert.Equal([0f, 1f, 0f, 1f], range.Shares([-2, 2, -.4f, 1.6f]).Select(x => (float)Math.Round(x, 5)));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public void Pictures_hold_the_pixels(int channels)
    {
        byte[] pixels = [.. Enumerable.Range(0, 5 * 2 * channels).Select(i => (byte)(i * 7))];
        var png = Png.Encode(5, 2, channels, pixels);
        Assert.Equal([0x89, (byte)'P', (byte)'N', (byte)'G'], png[..4]);
        Assert.Equal([0, 0, 0, 5, 0, 0, 0, 2, 8, channels == 1 ? (byte)0 : (byte)2], png[16..26]);
        var start = png.AsSpan().IndexOf("IDAT"u8) + 4;
        using var zlib = new ZLibStream(new MemoryStream(png[start..]), CompressionMode.Decompress);
        var rows = new byte[2 * (1 + (5 * channels))];
        zlib.ReadExactly(rows);
        Assert.Equal(pixels, rows.Chunk(1 + (5 * channels)).SelectMany(row => row.Skip(1)));
        Assert.Throws<ArgumentException>(() => Png.Encode(5, 2, 2, pixels));
    }

    [Fact]
    public async Task A_published_pair_is_attacked_and_no_picture_is_written_unless_asked_for()
    {
        var store = new FolderStore(Directory.CreateDirectory(Path.Combine(folder.Path, "registry")).FullName);
        await TinyRegistry.FillAsync(store);
        var request = TinyRegistry.Request(r => r["method"] = JsonNode.Parse("""
            { "name": "neggrad+", "options": { "steps": 2, "batch": 4, "stop": "none" } }
            """));
        var options = new JobOptions { WorkFolder = Path.Combine(folder.Path, "work") };
        var runner = new JobRunner(store, new FixedClock(), options);
        await runner.RunAsync(await runner.SubmitAsync(request, "request.json", Stop), SilentProgress.Instance, Stop);
        var files = Directory.GetFiles(folder.Path, "*", SearchOption.AllDirectories);
        var report = await new InversionAudit(store, options).RunAsync(
            request, "request.json", "tiny@2", new(2, new(Iterations: 20, Restarts: 1), new(Iterations: 5), Pictures: null),
            SilentProgress.Instance, Stop);
        Assert.Equal((4, 2, 2.0), (report.ForgetCount, report.Samples.Count, report.ChanceRank));
        Assert.InRange(report.LabelRank, 1, 3);
        Assert.Equal(report.Gain!.Value, report.Samples.Average(s => s.Psnr - s.ControlPsnr), 1e-12);
        Assert.Contains(report.Notes, n => n.StartsWith("4 samples were unlearned together"));
        Assert.Equal(files.Order(), Directory.GetFiles(folder.Path, "*", SearchOption.AllDirectories).Order());

        var foreign = await Assert.ThrowsAsync<InputException>(() => new InversionAudit(store, options).RunAsync(
            request, "request.json", "nothing here", new(1, new(1, 1), new(), null), SilentProgress.Instance, Stop));
        Assert.Contains("is neither a file nor a version", foreign.Message);
    }

    public void Dispose()
    {
        model.Dispose();
        folder.Dispose();
    }

    static CancellationToken Stop => TestContext.Current.CancellationToken;

    /// <summary>The parent after one step up the gradient of the cross-entropy of one sample.</summary>
    TensorBlock Ascended(float[] sample, long label, float rate = .01f)
    {
        using var gradients = new TensorBlock(model.Initial.Layout);
        using var session = new GraphSession(StepGraph.FirstOrder(model.Forward, (g, prefix, logits) => ClassificationLosses.CrossEntropy(
            g, model.Labelled(g, logits, model.AddLabels(g, prefix + "labels", "batch")), TinyRegistry.Classes)));
        using var step = new BoundStep(session, _ => 1, model.Initial, gradients);
        sample.CopyTo(step["input"].Floats);
        step["labels"].Longs[0] = label;
        step.Run();
        var child = model.Initial.Clone();
        for (var i = 0; i < child.TensorCount; i++)
            for (var j = 0; j < child[i].Length; j++)
                child[i][j] += rate * gradients[i][j];
        return child;
    }

    TensorBlock Filled(ulong seed)
    {
        var block = new TensorBlock(model.Initial.Layout);
        for (var i = 0; i < block.TensorCount; i++)
            Rng.For(seed, "fill", i).FillNormal(block[i]);
        return block;
    }
}
