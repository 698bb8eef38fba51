using RegistryUnlearn.Training.Evaluation;
using RegistryUnlearn.Training.Runtime;
using RegistryUnlearn.Unlearning.Data;
using RegistryUnlearn.Unlearning.Membership;

namespace RegistryUnlearn.Unlearning.Methods.Ltu;

/// <summary>
/// K membership models fitted on retained against reference samples as θ moves. A step's support uses one model and its queries use
/// others, so that what is learned also defeats attackers that were not seen. None of them is used in the audit.
/// </summary>
sealed class MembershipFeedback
{
    readonly UnlearningTask task;
    readonly LtuOptions options;
    readonly SampleSource members;
    readonly SampleSource nonMembers;
    readonly Evaluator live;
    MembershipEnsemble models;
    float[] levels;

    public MembershipFeedback(UnlearningTask task, LtuOptions options, SampleSource members, SampleSource nonMembers, Evaluator live)
    {
        (this.task, this.options, this.members, this.nonMembers, this.live) = (task, options, members, nonMembers, live);
        (models, levels) = Fit(Features(members), Features(nonMembers), 0);
    }

    /// <summary>Fits anew where it is due. A network whose outputs are not finite keeps the models it had: its next loss tells.</summary>
    public void Refit(int step)
    {
        if (step % options.Refit != 0)
            return;
        float[] inside = Features(members), outside = Features(nonMembers);
        if (inside.All(float.IsFinite) && outside.All(float.IsFinite))
            (models, levels) = Fit(inside, outside, step / options.Refit);
    }

    /// <summary>Gives part 0 (support) and parts 1..M (queries) of a step different models while there are enough.</summary>
    public void Set(BoundStep bound, string prefix, int step, int part)
    {
        var k = (step + part) % models.Count;
        var weights = models.Weights.Slice(k * MembershipFeatures.Count, MembershipFeatures.Count);
        weights.CopyTo(bound[prefix + LtuLosses.MembershipWeights].Floats);
        bound[prefix + LtuLosses.MembershipBias].Floats[0] = models.Bias[k];
        if (bound.Has(prefix + LtuLosses.MembershipLevel))
            bound[prefix + LtuLosses.MembershipLevel].Floats[0] = levels[k];
    }

    public void Save(BinaryWriter writer)
    {
        var bytes = new byte[models.ByteCount];
        models.Write(bytes);
        writer.Write(bytes.Length);
        writer.Write(bytes);
        foreach (var level in levels)
            writer.Write(level);
    }

    public void Restore(BinaryReader reader)
    {
        models = MembershipEnsemble.Read(reader.ReadBytes(reader.ReadInt32()));
        levels = [.. Enumerable.Range(0, models.Count).Select(_ => reader.ReadSingle())];
    }

    (MembershipEnsemble, float[]) Fit(float[] inside, float[] outside, int round)
    {
        var fitted = MembershipEnsemble.Fit(inside, outside, options.MembershipModels, task.Seed, round);
        return (fitted, [.. Enumerable.Range(0, fitted.Count).Select(k => MeanScore(fitted[k], outside))]);
    }

    static float MeanScore(MembershipModel model, float[] features)
    {
        var scores = new float[features.Length / MembershipFeatures.Count];
        model.Score(features, scores);
        return scores.Average();
    }

    float[] Features(SampleSource source)
    {
        var features = new float[source.Count * MembershipFeatures.Count];
        live.Logits(source.Count, source.FillFrom, (start, logits) =>
        {
            var count = logits.Length / (source.LabelSize * task.Classes);
            MembershipFeatures.Compute(
                logits, source.Labels.AsSpan(start * source.LabelSize, count * source.LabelSize), task.Classes,
                features.AsSpan(start * MembershipFeatures.Count, count * MembershipFeatures.Count), source.LabelSize);
        });
        return features;
    }
}
