using RegistryUnlearn.Auditing.Statistics;

namespace RegistryUnlearn.Auditing;

/// <summary>
/// For every forget and every unseen sample what models that were not trained on it say of it; as many for each, so that both are judged
/// alike. A reference pair has one model that does not know a forget sample; of an unseen sample, which neither knows, one of the two is
/// drawn.
/// </summary>
sealed record OutModels(ScorePool ForgetConfidences, ScorePool UnseenConfidences, ScorePool ForgetLogs, ScorePool UnseenLogs)
{
    /// <summary>Models per sample below which no Gaussian can be fitted.</summary>
    const int Least = 2;

    /// <summary>From complete pairs of reference models; null when there are fewer than two pairs.</summary>
    public static OutModels? OfReferences(IReadOnlyList<PooledOutputs> models, string unseen, ulong seed)
    {
        var byIndex = models.Where(m => m.Kind is PoolKind.Reference).ToDictionary(m => m.Index);
        var pairs = byIndex.Values.Where(m => m.Index % 2 == 0 && byIndex.ContainsKey(m.Index + 1)).OrderBy(m => m.Index)
            .Select(m => (First: m, Second: byIndex[m.Index + 1])).ToList();
        if (pairs.Count < Least)
            return null;
        var random = new SplitMix64(seed);
        var count = pairs[0].First.Outputs.Sets[unseen].Count;
        var drawn = pairs.ConvertAll(_ => Enumerable.Range(0, count).Select(_ => random.Next(2) == 0).ToArray());
        return Of(
            pairs.Count, unseen,
            (pair, sample) => pairs[pair].First.Knows![sample] ? pairs[pair].Second : pairs[pair].First,
            (pair, sample) => drawn[pair][sample] ? pairs[pair].First : pairs[pair].Second,
            pairs[0].First);
    }

    /// <summary>From oracles, none of which knows any of the samples; null when there are fewer than two.</summary>
    public static OutModels? OfOracles(IReadOnlyList<PooledOutputs> oracles, string unseen) => oracles.Count < Least
        ? null
        : Of(oracles.Count, unseen, (i, _) => oracles[i], (i, _) => oracles[i], oracles[0]);

    static OutModels Of(
        int models, string unseen, Func<int, int, PooledOutputs> ofForget, Func<int, int, PooledOutputs> ofUnseen, PooledOutputs any)
    {
        return new(
            Pool(AuditSets.Forget, ofForget, set => set.Confidences), Pool(unseen, ofUnseen, set => set.Confidences),
            Pool(AuditSets.Forget, ofForget, set => set.Losses, -1), Pool(unseen, ofUnseen, set => set.Losses, -1));

        ScorePool Pool(string set, Func<int, int, PooledOutputs> choose, Func<SetOutputs, double[]> values, double sign = 1) =>
            ScorePool.OfSamples(
            [
                .. Enumerable.Range(0, any.Outputs.Sets[set].Count).Select(sample => Enumerable.Range(0, models)
                    .Select(model => sign * values(choose(model, sample).Outputs.Sets[set])[sample]).ToArray()),
            ]);
    }
}
