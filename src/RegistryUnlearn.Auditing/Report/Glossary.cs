namespace RegistryUnlearn.Auditing.Report;

static class Glossary
{
    public static IReadOnlyList<(string Term, string Meaning)> Entries { get; } =
    [
        ("Forget set", "The samples whose influence was to be removed. Only their number is recorded here."),
        ("Retained set", "Training samples that stay, as far as they were at hand."),
        ("Test, holdout", "Samples the model was never trained on. The holdout may have helped the unlearning; the test set did not."),
        ("Oracle", "A model trained again from the beginning without the forget set: what unlearning tries to reach. Oracles differ among "
            + "themselves by chance; that spread is the oracle band."),
        ("Normalised oracle gap", "Distance to the oracles' mean, divided by the same distance before unlearning. 0 is like retraining, 1 "
            + "is as before. 0 divided by 0 counts as 0; anything else divided by 0 has no value and is not shown."),
        ("H", "Mean of five: the retained, forget and test accuracies' distance to the oracles, each in units of the forget accuracy's "
            + "distance before unlearning, and the normalised gaps of the attack AUC and of the KS distance. Doing nothing scores about "
            + "0.6, because the retained and test accuracies are right already."),
        ("H10", "As H, but a loss of 10 percentage points in retained or test accuracy counts as 1: stricter on usefulness."),
        ("AUC", "Probability that a forget sample has a smaller loss than an unseen one. 0.5 is chance; below 0.5 the forget set is less "
            + "known than unseen data. Its interval comes from a seeded bootstrap."),
        ("TPR at 1 % FPR", "Share of the forget set the attack finds while wrongly accusing at most one unseen sample in a hundred."),
        ("Matched attack", "The loss attack in which each forget sample is compared with unseen ones of its true class under the label it "
            + "was trained with, so that removed classes and wrong labels are judged rightly. Its interval is that of exchangeable "
            + "samples."),
        ("Relearn time", "Steps of a short training until the forget set has the loss it had before unlearning, beside the steps of as "
            + "many matched unseen samples to that loss."),
        ("RMIA, LiRA", "Attacks that judge each sample by models that were not trained on it: by pairwise likelihood ratios against unseen "
            + "samples, and by how far the confidence lies above those models' own."),
        ("KS distance", "Largest difference between two distribution functions: 0 for equal distributions, 1 for separated ones."),
        ("Canary", "A sample planted with a wrong label. Whoever predicts the wrong label has it from the training."),
        ("Retrain-free", "Measured without oracles. Such figures can show that something remains, but not that enough was removed."),
    ];
}
