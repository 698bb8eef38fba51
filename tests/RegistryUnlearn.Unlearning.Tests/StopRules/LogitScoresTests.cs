using RegistryUnlearn.Unlearning.StopRules;

namespace RegistryUnlearn.Unlearning.Tests.StopRules;

public class LogitScoresTests
{
    /// <summary>Confidences computed with PyTorch in float64.</summary>
    [Theory]
    [InlineData(new float[] { 2, 1, 0 }, 0, 0.6867383, 0)]
    [InlineData(new float[] { -1, 3, 0.5f }, 2, -2.51815, 1)]
    [InlineData(new float[] { 0, 0, 0 }, 1, -0.6931472, 0)]
    [InlineData(new float[] { 100, -100, 50 }, 1, -200, 0)]
    [InlineData(new float[] { 1e4f, 0, -1e4f }, 0, 1e4, 0)]
    public void Confidence_is_logit_scaled(float[] logits, int label, double confidence, int prediction)
    {
        var scores = LogitScores.Of(logits, [label], logits.Length);

        Assert.Equal(confidence, scores.Confidences[0], 1e-6 * Math.Max(1, Math.Abs(confidence)));
        Assert.Equal(prediction, scores.Predictions[0]);
        Assert.Equal(prediction == label ? 1 : 0, scores.Accuracy([label]));
    }

    [Fact]
    public void Accuracy_is_the_share_of_labels_predicted() =>
        Assert.Equal(0.75, LogitScores.Of([1, 0, 1, 0, 0, 1, 0, 1], [0, 1, 1, 1], 2).Accuracy([0, 1, 1, 1]));

    /// <summary>Two samples of two positions; the second position of the second has no label.</summary>
    [Fact]
    public void A_sample_with_positions_has_the_mean_of_those_that_are_labelled()
    {
        long[] labels = [0, 1, 1, -100];
        var scores = LogitScores.Of([3, 1, 4, 0, 0, 5, 9, 9], labels, 2, rows: 2);
        Assert.Equal([-1, 5], scores.Confidences);
        Assert.Equal([0.5, 1], scores.Right(labels));
        Assert.Equal(0.75, scores.Accuracy(labels));
    }
}
