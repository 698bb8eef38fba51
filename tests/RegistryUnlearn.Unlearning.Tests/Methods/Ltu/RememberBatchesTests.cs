using RegistryUnlearn.Onnx.Steps;
using RegistryUnlearn.Training.Buffers;
using RegistryUnlearn.Training.Evaluation;
using RegistryUnlearn.Training.Runtime;
using RegistryUnlearn.Unlearning.Data;
using RegistryUnlearn.Unlearning.Methods.Ltu;

namespace RegistryUnlearn.Unlearning.Tests.Methods.Ltu;

public class RememberBatchesTests
{
    /// <summary>Retained batch, pool and views as parts of one batch; the weights of each part sum to the weight of its mean.</summary>
    [Theory]
    [InlineData(MetaStep.Off, Preservation.Pool, 2f, 0, 6 + 4 + 0, 4f)]
    [InlineData(MetaStep.Off, Preservation.Pool, 2f, 3, 6 + 4 + 6, 6f)]
    [InlineData(MetaStep.Exact, Preservation.Pool, 0.5f, 3, 3 + 2 + 3, 1.5f)]
    [InlineData(MetaStep.First, Preservation.Pool, 0f, 3, 3, 0f)]
    [InlineData(MetaStep.Off, Preservation.None, 2f, 3, 6, 0f)]
    public void Mixes_retained_samples_with_the_pool(MetaStep order, Preservation preservation, float weight, int sources, int size,
        float total)
    {
        var options = LtuVariants.Full with
        {
            Order = order,
            Preservation = preservation,
            PreservationWeight = weight,
            RetainedBatch = 6,
            HoldoutBatch = 4,
            ViewBatch = 2,
        };
        using var original = Evaluator.Frozen(Blobs.Model.Forward, Blobs.Model.Parameters);
        var answers = TaskAnswers.Of(original, Blobs.Task(), options);
        var batches = new RememberBatches(Blobs.Task(), options, original, answers.Retained, new(answers.Reference.Samples, answers.Reference),
            [.. Enumerable.Repeat(new PoolSource(answers.Retained.Samples, answers.Retained), sources)],
            ViewSet.Of(options.Views, Blobs.Data)[0]);
        Assert.Equal(size, batches.Size);

        using var gradients = new TensorBlock(Blobs.Model.Forward.Parameters);
        using var session = new GraphSession(StepGraph.FirstOrder(Blobs.Model.Forward, (g, prefix, logits) =>
            LtuLosses.Remember(g, prefix, logits, Blobs.Classes)));
        using var step = new BoundStep(session, _ => size, Blobs.Model.Parameters, gradients);
        var rows = Blobs.Retained.Rows[..options.Part(6)];
        batches.Fill(step, "", rows, 4);
        var inputs = step["input"].Floats.ToArray();

        var given = new float[rows.Length * 64];
        var labels = new long[rows.Length];
        Blobs.Data.Fill(rows, given, labels);
        Assert.Equal(given, inputs.Take(given.Length));
        Assert.Equal([.. labels, .. new long[size - rows.Length]], step[LtuLosses.Labels].Longs.ToArray());
        Assert.Equal([.. Enumerable.Repeat(1f / rows.Length, rows.Length), .. new float[size - rows.Length]],
            step[LtuLosses.LabelWeights].Floats.ToArray());
        Assert.Equal(total, step[LtuLosses.ReferenceWeights].Floats.ToArray().Sum(), 1e-6);
        if (total > 0)
        {
            var logits = new float[size * Blobs.Classes];
            original.Logits(size, (start, target) => inputs.AsSpan(start * 64, target.Length).CopyTo(target), logits);
            Assert.Equal(logits, step[LtuLosses.Reference].Floats.ToArray());
            // At the original nothing has moved: what is left is the cross-entropy of the retained samples.
            step.Run();
            Assert.InRange(step.Scalar(StepGraph.Loss), 0, 0.1);
        }
        batches.Fill(step, "", rows, 4);
        Assert.Equal(inputs, step["input"].Floats.ToArray());
        batches.Fill(step, "", rows, 5);
        Assert.Equal(size == rows.Length, inputs.SequenceEqual(step["input"].Floats.ToArray()));
    }

    /// <summary>Ten samples: seven for the pool, of which only those stay that the original gets right, and three that judge.</summary>
    [Theory]
    [InlineData("0123456789", 7)]
    [InlineData("01234", 2, 5)]
    [InlineData("", 7)]
    public void The_pool_leaves_out_the_mistakes_of_the_original(string right, int least, int most = 7)
    {
        var reference = SampleSource.Of(Blobs.Data.Rows(Blobs.Trained, Blobs.Trained + 10, "holdout"));
        double[] share = [.. reference.Labels.Select((_, i) => right.Contains((char)('0' + i)) ? 1.0 : 0)];
        var (pool, judges) = LtuRun.SplitReference(Blobs.Task(), reference, share);

        Assert.InRange(pool.Count, least, most);
        Assert.Equal(3, judges.Count);
        var (allowed, seen) = (Samples(reference, right.Length is 0 ? "0123456789" : right), Samples(pool, null));
        Assert.Subset(allowed, seen);
        Assert.Empty(seen.Intersect(Samples(judges, null)));
    }

    /// <summary>The first pixels of samples, which tell noisy images apart.</summary>
    static HashSet<float> Samples(SampleSource source, string? places)
    {
        var image = new float[source.SampleSize];
        return [.. Enumerable.Range(0, source.Count).Where(i => places?.Contains((char)('0' + i)) ?? true).Select(i =>
        {
            source.Fill(i, image);
            return image[0];
        })];
    }
}
