using RegistryUnlearn.Onnx.Steps;
using RegistryUnlearn.Training.Buffers;
using RegistryUnlearn.Training.Runtime;
using RegistryUnlearn.Unlearning.Methods.Ltu;

namespace RegistryUnlearn.Unlearning.Tests.Methods.Ltu;

/// <summary>Losses and gradients of a small network, against PyTorch in float64; inputs are sine waves.</summary>
public class LtuLossesTests
{
    const int Samples = 5, Inputs = 4, Hidden = 3, Classes = 3;
    static readonly long[] Labels = [0, 2, 1, 2, 0];

    /// <summary>cross_entropy(reduction='none') · w + mean over classes of the squared centred difference · v.</summary>
    [Fact]
    public void Remembering() => Check(
        (g, prefix, logits) => LtuLosses.Remember(g, prefix, logits, Classes),
        step =>
        {
            new[] { 0.5f, 0.25f, 0.25f, 0, 0 }.CopyTo(step[LtuLosses.LabelWeights].Floats);
            Tiny.Wave(Samples * Classes, 1.9, 0.7, 2).CopyTo(step[LtuLosses.Reference].Floats);
            new[] { 0.2f, 0, 0.3f, 0.1f, 0.4f }.CopyTo(step[LtuLosses.ReferenceWeights].Floats);
        },
        11.829132891112799,
        [
            -0.6211402, 2.930956, 3.966826, -1.24114, 5.177423, 7.246588, -1.108281, 4.283334, 6.130667, -0.3031534, 0.7910324, 1.295965,
            0.644417, 2.636317, 3.711456,
            0.5078565, 0.7104091, -1.218266, 4.193417, -1.933598, -2.259819, 6.183726, -3.374654, -2.809072,
            2.874083, -1.15007, -1.724013,
        ]);

    /// <summary>smooth_l1_loss(beta=2) of the confidences + 0.2 · cross-entropy to the soft targets among the other classes.</summary>
    [Fact]
    public void Forgetting() => Check(
        (g, prefix, logits) => LtuLosses.Forget(g, prefix, logits, Classes, 0.2f),
        step =>
        {
            new[] { 1.5f, -4, 0.2f, 6, -1 }.CopyTo(step[LtuLosses.Targets].Floats);
            new[]
            {
                0, 0.9418974f, 0.05810256f, 0.6778366f, 0.3221634f, 0, 0.4608023f, 0, 0.5391977f, 0.2345272f, 0.7654728f, 0, 0, 0.9516802f,
                0.04831983f,
            }.CopyTo(step[LtuLosses.Others].Floats);
        },
        3.8127279796191775,
        [
            -0.4742528, 0.4239236, 0.8676314, -0.8993784, 0.8404908, 1.698224, -0.7789531, 0.7472276, 1.498697, -0.1860253, 0.2007062,
            0.3900803,
            0.462733, 0.4371245, 0.8809867,
            0.05114137, 0.7078932, -0.7590346, 0.8338977, -0.6979048, -0.1359929, 1.488902, -1.211152, -0.2777502,
            0.6396573, -0.2438686, -0.3957887,
        ]);

    static void Check(BatchLoss loss, Action<BoundStep> prepare, double value, double[] gradients)
    {
        using var model = Tiny.Perceptron(Inputs, Hidden, Classes, Tiny.Wave(Inputs * Hidden, 1.7, 0.3), Tiny.Wave(Hidden, 0.9, 0.5, 0.1),
            Tiny.Wave(Hidden * Classes, 2.3, 0.1), Tiny.Wave(Classes, 1.1, 0.2, 0.2));
        using var computed = new TensorBlock(model.Forward.Parameters);
        using var session = new GraphSession(StepGraph.FirstOrder(model.Forward, loss));
        using var step = new BoundStep(session, _ => Samples, model.Parameters, computed);
        Tiny.Wave(Samples * Inputs, 0.8, 0.4, 2).CopyTo(step["input"].Floats);
        Labels.CopyTo(step[LtuLosses.Labels].Longs);
        prepare(step);
        step.Run();

        Assert.Equal(value, step.Scalar(StepGraph.Loss), 1e-5);
        Tiny.AssertClose(gradients, Tiny.Values(computed), 2e-6);
    }
}
