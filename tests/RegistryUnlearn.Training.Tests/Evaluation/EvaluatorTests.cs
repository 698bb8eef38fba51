using RegistryUnlearn.Training.Buffers;
using RegistryUnlearn.Training.Evaluation;
using RegistryUnlearn.Training.Tests.Buffers;
using RegistryUnlearn.Training.Tests.Runtime;

namespace RegistryUnlearn.Training.Tests.Evaluation;

public sealed class EvaluatorTests
{
    const int Sample = 2 * 4 * 4, Classes = 4;

    /// <summary>Counts around the default batch of 128 and around a fixed batch of 8.</summary>
    [Theory]
    [InlineData(1, null)]
    [InlineData(128, null)]
    [InlineData(129, null)]
    [InlineData(300, null)]
    [InlineData(1, 8)]
    [InlineData(8, 8)]
    [InlineData(19, 8)]
    public void Frozen_equals_live_equals_one_sample_at_a_time(int count, int? fixedBatch)
    {
        var model = SmallModel.Cnn(fixedBatch);
        using var parameters = SmallModel.Random(SmallModel.Cnn(), 5);
        var inputs = new float[count * Sample];
        SmallModel.Fill(inputs, 6);
        using Evaluator live = Evaluator.Live(model, parameters), frozen = Evaluator.Frozen(model, parameters);
        using var single = Evaluator.Live(SmallModel.Cnn(), parameters);

        var expected = new float[count * Classes];
        for (var i = 0; i < count; i++)
            single.Logits(1, (_, to) => inputs.AsSpan(i * Sample, to.Length).CopyTo(to), expected.AsSpan(i * Classes, Classes));
        Blocks.Near(expected, Logits(live), 1e-5);
        Blocks.Near(expected, Logits(frozen), 1e-5);

        float[] Logits(Evaluator evaluator)
        {
            var next = 0;
            var logits = new float[count * Classes];
            evaluator.Logits(count, (start, to) =>
            {
                Assert.Equal(next, start);
                Assert.Equal(0, to.Length % Sample);
                next += to.Length / Sample;
                inputs.AsSpan(start * Sample, to.Length).CopyTo(to);
            }, logits);
            Assert.Equal(count, next);
            return logits;
        }
    }

    [Fact]
    public void Only_the_live_one_follows_the_parameters()
    {
        var model = SmallModel.Cnn();
        using var parameters = SmallModel.Random(model, 5);
        using Evaluator live = Evaluator.Live(model, parameters), frozen = Evaluator.Frozen(model, parameters);
        var before = Logits(live);
        parameters[3][0] += 1;
        float[] moved = [before[0] + 1, .. before[1..]];
        Blocks.Near(moved, Logits(live), 1e-5);
        Blocks.Near(before, Logits(frozen), 1e-5);

        static float[] Logits(Evaluator evaluator)
        {
            var logits = new float[Classes];
            evaluator.Logits(1, (_, to) => SmallModel.Fill(to, 6), logits);
            return logits;
        }
    }

    [Fact]
    public void No_samples_ask_for_nothing()
    {
        var model = SmallModel.Cnn();
        using var parameters = new TensorBlock(model.Parameters);
        using var evaluator = Evaluator.Live(model, parameters);
        var asked = 0;
        evaluator.Logits(0, (_, _) => asked++, []);
        Assert.Equal(0, asked);
    }
}
