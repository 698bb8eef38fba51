using RegistryUnlearn.Unlearning.Methods.Train;
using RegistryUnlearn.Unlearning.Runs;

namespace RegistryUnlearn.SampleMaker;

/// <summary>Every choice that decides the bytes of the sample.</summary>
static class Choices
{
    /// <summary>
    /// Seed of the split, the wrong labels and version 1. Defaults of the methods were tuned on the seeds 1..3 and 10..12; the sample has
    /// another one, so that what a reader sees on it was not fitted to it.
    /// </summary>
    public const ulong Sample = 20;

    /// <summary>Seeds of the oracles, one initialisation and batch order each; none is the seed of version 1.</summary>
    public static readonly ulong[] Oracles = [101, 102, 103, 104, 105];

    /// <summary>
    /// Sizes of the training and holdout sets; the rest is the test set. With 500 training samples the model memorises visibly, with more
    /// there is little to forget.
    /// </summary>
    public const int Train = 500, Holdout = 300;

    /// <summary>Sizes of the two forget sets, parts of the training set without common samples.</summary>
    public const int Canaries = 40, Random = 100;

    /// <summary>Loss quantiles that oracle files keep of sets other than the forget set, enough for a plot.</summary>
    public const int LossPoints = 256;

    /// <summary>The recipe of version 1 and of the oracles: ends at 100 % on the training labels, wrong ones included.</summary>
    public static readonly TrainOptions Recipe =
        new(Epochs: 60, Batch: 64, new(OptimizerKind.Sgd, LearningRate: 0.05f, Momentum: 0.9f, WeightDecay: 0, Schedule.Cosine));
}
