using RegistryUnlearn.Unlearning.Data;
using RegistryUnlearn.Unlearning.Membership;

namespace RegistryUnlearn.Unlearning.Tests.Data;

/// <summary>Real files that lie beside the repository, where they do.</summary>
public class SharedDataTests
{
    [Theory]
    [InlineData("fixtures/gradients/mlp/reference.npz")]
    [InlineData("fixtures/gradients/cnn/reference.npz")]
    [InlineData("fixtures/gradients/cnn_fused/reference.npz")]
    [InlineData("fixtures/gradients/resnet/reference.npz")]
    [InlineData("fixtures/gradients/vit/reference.npz")]
    [InlineData("fixtures/gradients/textcnn/reference.npz")]
    public void Reads_gradient_references(string path)
    {
        var arrays = NpzReader.ReadAll(Repository.Shared(path));

        Assert.Equal(arrays["logits"].Shape[0], arrays["labels"].Shape[0]);
        Assert.True(float.IsFinite(arrays["loss"].ToSingles()[0]));
        Assert.Contains(arrays.Keys, name => name.StartsWith("grad/"));
    }

    [Theory]
    [InlineData("cnn-agree")]
    [InlineData("cnn-conflict")]
    [InlineData("vit-conflict")]
    public void Reads_golden_steps(string name)
    {
        var arrays = NpzReader.ReadAll(Repository.Shared($"fixtures/ltu-step/{name}/step.npz"));

        Assert.Equal(4, arrays["mi/weights"].Shape[1]);
        Assert.Equal(arrays["mi/weights"].Shape[0], arrays["mi/bias"].Shape[0]);
        Assert.Equal([8], arrays["batch/remember-support/labels"].Shape);
        Assert.Equal(8, arrays["batch/forget-query-1/input"].Shape[0]);
        Assert.Equal(4, arrays["exact/loss"].Values<float>().Length);
    }

    /// <summary>On the CIFAR-10 case the original model remembers its training images and an attacker sees it.</summary>
    [Fact]
    public void Draws_the_benchmark_case_and_sees_its_members()
    {
        var folder = "data/cifar10-10k";
        var data = DataSet.Load(Repository.Shared($"{folder}/train.npz"), new DataSetOptions
        {
            Normalization = new Normalization(255, [.4914f, .4822f, .4465f], [.247f, .2435f, .2616f]),
        });
        var test = DataSet.Load(Repository.Shared($"{folder}/test.npz"));
        var split = NpzReader.ReadAll(Repository.Shared($"{folder}/random/split.npz"));
        var logits = NpzReader.ReadAll(Repository.Shared($"{folder}/random/original.npz"));
        data.RequireClasses(10);
        var forget = data.Select(split["forget"].ToInt64s(), "forget");
        var retained = data.All("all").Except(forget, "rest").Sample(0.1, 0, "retained");
        var (inputs, labels) = (new float[64 * data.SampleSize], new long[64]);
        data.Fill(new CyclicBatches(forget, 64, 0).At(0), inputs, labels);

        Assert.Equal((1000, 900), (forget.Count, retained.Count));
        Assert.InRange(inputs.Average(), -0.3, 0.3);
        Assert.InRange(inputs.Average(x => x * x), 0.8, 1.3);
        var (members, nonMembers) = (new float[4 * data.Count], new float[4 * test.Count]);
        MembershipFeatures.Compute(logits["train"].Values<float>(), data.Labels, 10, members);
        MembershipFeatures.Compute(logits["test"].Values<float>(), test.Labels, 10, nonMembers);
        var ensemble = MembershipEnsemble.Fit(members.AsSpan(0, 3600), nonMembers.AsSpan(0, 4000), 3, 0);
        var (high, low) = (new float[data.Count], new float[test.Count]);
        ensemble[1].Score(members, high);
        ensemble[1].Score(nonMembers, low);
        Assert.InRange(RankStatistics.Auc(high, low), 0.7, 0.9);
    }
}
