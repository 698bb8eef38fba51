using RegistryUnlearn.Auditing;
using RegistryUnlearn.Auditing.Inversion;
using RegistryUnlearn.Registry;
using RegistryUnlearn.Training.Buffers;
using RegistryUnlearn.Unlearning.Data;
using RegistryUnlearn.Worker.Jobs;
using RegistryUnlearn.Worker.Models;
using RegistryUnlearn.Worker.Requests;

namespace RegistryUnlearn.Worker.Inversion;

/// <param name="Samples">Forget samples that are attacked at most, chosen by the request's seed.</param>
/// <param name="Pictures">Local folder for pictures; null writes none.</param>
public sealed record InversionOptions(int Samples, FeatureOptions Features, LabelOptions Labels, string? Pictures);

/// <summary>One attacked sample, without its name.</summary>
/// <param name="Psnr">Of the reconstruction to the forgotten sample, in dB.</param>
/// <param name="ControlPsnr">Of the same reconstruction to an unseen sample of the same label, which was never unlearned.</param>
/// <param name="Cosine">Between the reconstruction's gradient and the difference of the parameters.</param>
public sealed record InvertedSample(double Psnr, double ControlPsnr, double Cosine);

/// <summary>How much (parent, child) tell of what was removed.</summary>
/// <param name="Samples">Empty where there are no unseen samples to compare with.</param>
/// <param name="Gain">Mean of PSNR less its control, in dB: about 0 when nothing is recovered.</param>
/// <param name="LabelRank">Mean rank of the forgotten labels among all classes, 1 for a label that is guessed right.</param>
/// <param name="ChanceRank">Mean rank of labels of samples that were never unlearned: (C + 1) / 2.</param>
/// <param name="Pictures">Files that were written.</param>
public sealed record InversionReport(
    int ForgetCount, IReadOnlyList<InvertedSample> Samples, double? Gain, double LabelRank, double ChanceRank,
    IReadOnlyList<string> Pictures, IReadOnlyList<string> Notes);

/// <summary>Plays the attacker who holds the parent and the child, on the owner's own data.</summary>
public sealed class InversionAudit(IObjectStore store, JobOptions options)
{
    /// <param name="child">An .onnx file, or a version in the registry.</param>
    /// <exception cref="InputException">The child is another network, or its inputs are tokens.</exception>
    public async Task<InversionReport> RunAsync(
        string requestJson, string source, string child, InversionOptions inversion, IJobProgress progress,
        CancellationToken cancellation = default)
    {
        var request = RequestReader.Read(requestJson, source);
        using var work = WorkFolder.Open(options.WorkFolder, "inversion");
        progress.Stage("fetch");
        var parent = await new ModelRegistry(store).ResolveAsync(request.Model, cancellation);
        var fetched = await FetchedJob.FetchAsync(store, request, parent, work.Path, cancellation);
        var path = File.Exists(child) ? child : await DownloadAsync(child, Path.Combine(work.Path, "child"), cancellation);
        using var job = PreparedJob.Prepare(request, fetched);
        using var other = ClassifierModel.Load(path, request.Logits, request.Parameters, fetched.Train);
        RequireSameNetwork(job.Model, other, child);
        if (fetched.Train.HoldsTokens)
            throw new InputException(source, "the inputs are tokens, which have no gradient; inversion looks for images and tables only");
        progress.Stage("invert");
        return Invert(job, other.Initial, request, inversion, progress, cancellation);
    }

    async Task<string> DownloadAsync(string reference, string folder, CancellationToken cancellation)
    {
        if (!ModelReference.TryParse(reference, out var parsed))
            throw new InputException(
                reference, "is neither a file nor a version; give the path of the child's model.onnx, or name@version");
        var registry = new ModelRegistry(store);
        await registry.DownloadAsync(await registry.ResolveAsync(parsed, cancellation), folder, cancellation);
        return Path.Combine(folder, "model.onnx");
    }

    static void RequireSameNetwork(ClassifierModel parent, ClassifierModel child, string name)
    {
        var (ours, theirs) = (parent.Initial.Layout, child.Initial.Layout);
        if (ours.Count != theirs.Count
            || !ours.Zip(theirs).All(p => p.First.Name == p.Second.Name && p.First.Shape.SequenceEqual(p.Second.Shape)))
            throw new InputException(name, "has other parameters than the parent; give a version that was made from it");
    }

    static InversionReport Invert(
        PreparedJob job, TensorBlock child, UnlearningRequest request, InversionOptions inversion, IJobProgress progress,
        CancellationToken cancellation)
    {
        var (model, forget, parent) = (job.Model, job.Task.Forget!, job.Task.Original);
        var shape = forget.Data.SampleShape;
        var range = new InputRange(
            new Normalization(request.Data.Scale, request.Data.Mean, request.Data.Std), shape.Count > 1 ? shape[0] : 1);
        var notes = new List<string>();
        var drops = LabelInversion.Drops(model.Forward, model.Classes, parent, child, range, inversion.Labels, request.Seed);
        var rank = forget.Rows.ToArray().Average(row => LabelInversion.Rank(drops, (int)forget.Data.MainLabel(row)));

        var samples = new List<InvertedSample>();
        var pictures = new List<string>();
        var unseen = job.AuditSets.GetValueOrDefault(AuditSets.Test) ?? job.AuditSets.GetValueOrDefault(AuditSets.Holdout);
        if (unseen is null)
            notes.Add("There are no unseen samples: features were not attacked, since nothing could serve as control.");
        else
        {
            using var attack = new FeatureInversion(model.Forward, model.Classes, parent, child, range);
            foreach (var (row, control) in Pairs(forget, unseen, inversion.Samples, request.Seed))
            {
                cancellation.ThrowIfCancellationRequested();
                var found = attack.Search(forget.Data.LabelsOf(row), inversion.Features, request.Seed + (ulong)samples.Count);
                float[] picture = range.Shares(found.Sample), truth = Shares(forget.Data, row), never = Shares(unseen.Data, control);
                samples.Add(new(InputRange.Psnr(picture, truth), InputRange.Psnr(picture, never), found.Cosine));
                if (inversion.Pictures is { } folder)
                    pictures.AddRange(Picture(folder, samples.Count, shape, truth, picture, never));
                progress.Note($"{samples.Count} of {Math.Min(inversion.Samples, forget.Count)} samples attacked");
            }
            if (samples.Count == 0)
                notes.Add("No unseen sample has a label of the forget set: features were not attacked.");
        }
        if (forget.Count > 1)
            notes.Add($"{forget.Count} samples were unlearned together: the difference mixes them, and single ones are hidden among them.");
        return new(
            forget.Count, samples, samples.Count == 0 ? null : samples.Average(s => s.Psnr - s.ControlPsnr), rank,
            (model.Classes + 1) / 2.0, pictures, notes);

        float[] Shares(DataSet data, int row)
        {
            var values = new float[data.SampleSize];
            data.Fill(row, values);
            return range.Shares(values);
        }
    }

    /// <summary>Forget samples, each with an unseen one of its label.</summary>
    static IEnumerable<(int Row, int Control)> Pairs(Subset forget, Subset unseen, int most, ulong seed)
    {
        int[] ours = forget.Rows.ToArray(), theirs = unseen.Rows.ToArray();
        Rng.For(seed, "inversion/forget", 0).Shuffle(ours.AsSpan());
        Rng.For(seed, "inversion/control", 0).Shuffle(theirs.AsSpan());
        var free = theirs.GroupBy(unseen.Data.MainLabel).ToDictionary(g => g.Key, g => new Queue<int>(g));
        foreach (var row in ours.Take(most))
            if (free.TryGetValue(forget.Data.MainLabel(row), out var left) && left.TryDequeue(out var control))
                yield return (row, control);
    }

    /// <summary>Forgotten sample, reconstruction and control side by side; nothing where samples are no pictures.</summary>
    static IEnumerable<string> Picture(string folder, int number, IReadOnlyList<int> shape, params float[][] samples)
    {
        if (shape is not [1 or 3, var height, var width])
            yield break;
        const int Gap = 2, Least = 96;
        var (channels, zoom) = (shape[0], Math.Max(1, Least / width));
        var (w, h) = ((samples.Length * (width + Gap) - Gap) * zoom, height * zoom);
        var pixels = new byte[w * h * channels];
        Array.Fill(pixels, byte.MaxValue);
        for (var s = 0; s < samples.Length; s++)
            for (var y = 0; y < h; y++)
                for (var x = 0; x < width * zoom; x++)
                    for (var c = 0; c < channels; c++)
                        pixels[((y * w) + (s * (width + Gap) * zoom) + x) * channels + c] =
                            (byte)Math.Round(255 * Math.Clamp(samples[s][(c * height + y / zoom) * width + x / zoom], 0, 1));
        Directory.CreateDirectory(folder);
        var path = Path.Combine(folder, $"inversion-{number}.png");
        File.WriteAllBytes(path, Png.Encode(w, h, channels, pixels));
        yield return path;
    }
}
