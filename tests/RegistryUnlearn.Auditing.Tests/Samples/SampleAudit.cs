using RegistryUnlearn.Auditing.Statistics;

namespace RegistryUnlearn.Auditing.Tests;

/// <summary>
/// A generated audit that behaves like a small image classifier: retained samples are memorised, unseen ones are right two times in three,
/// and the forget set lies between the two by the share that is still remembered.
/// </summary>
static class SampleAudit
{
    public const int Classes = 10;

    /// <param name="leak">1 = the forget set is memorised like the retained one, 0 = it is like unseen data.</param>
    /// <param name="reversed">The same samples, the last one first.</param>
    /// <param name="damage">Lowers margins here and there: most on the retained set, less elsewhere.</param>
    public static ModelOutputs Outputs(string name, double leak, ulong seed, double damage = 0, int forget = 400, bool reversed = false)
    {
        var random = new SplitMix64(seed);
        return new(name, new Dictionary<string, SetOutputs>
        {
            [AuditSets.Retained] = Set(AuditSets.Retained, 1200, member: 1, random, 11, damage, reversed),
            [AuditSets.Forget] = Set(AuditSets.Forget, forget, leak, random, 12, damage / 4, reversed),
            [AuditSets.Test] = Set(AuditSets.Test, 1500, member: 0, random, 13, damage / 4, reversed),
            [AuditSets.Holdout] = Set(AuditSets.Holdout, 500, member: 0, random, 14, damage / 4, reversed),
        });
    }

    public static List<OracleRecord> Oracles(int count) =>
        [.. Enumerable.Range(0, count).Select(i => OracleRecord.Of(Outputs($"oracle-{i + 1}", leak: 0, (ulong)(100 + i)), seed: 100 + i))];

    public static List<StepRecord> Steps(int count)
    {
        var random = new SplitMix64(42);
        return [.. Enumerable.Range(0, count).Select(step =>
        {
            var t = (double)step / count;
            var cosine = (.35 * t) - .15 + (.3 * Normal(random));
            return new StepRecord(
                step,
                .08 + (.3 * t * Math.Exp(-4 * t)) + (.02 * random.NextDouble()),
                2.6 * Math.Exp(-3 * t) + .35 + (.25 * random.NextDouble()),
                Math.Clamp(cosine, -1, 1),
                cosine < 0,
                cosine < 0 ? Math.Sqrt(1 - (cosine * cosine)) : 1);
        })];
    }

    // Difficulty and labels come from the data's own seed: every model sees the same samples.
    static SetOutputs Set(string name, int count, double member, SplitMix64 random, ulong data, double damage, bool reversed)
    {
        var samples = new SplitMix64(data);
        var (logits, labels) = (new float[count * Classes], new int[count]);
        for (var i = 0; i < count; i++)
        {
            labels[i] = samples.Next(Classes);
            var (difficulty, rival) = (Normal(samples), (labels[i] + 1 + (samples.Next(9) * samples.Next(9) / 9)) % Classes);
            var unseen = 1 + (2.6 * difficulty) + (.8 * Normal(random));
            var memorised = 6.5 + (1.1 * difficulty) + (.5 * Normal(random));
            var slip = Normal(random);
            var margin = (member * memorised) + ((1 - member) * unseen) - (damage * slip * slip);
            for (var c = 0; c < Classes; c++)
                logits[(i * Classes) + c] = (float)(-2 + (.5 * Normal(random)));
            logits[(i * Classes) + labels[i]] = (float)(margin / 2);
            logits[(i * Classes) + rival] = (float)(-margin / 2);
        }

        return reversed
            ? new(name, [.. logits.Chunk(Classes).Reverse().SelectMany(row => row)], Classes, [.. labels.Reverse()])
            : new(name, logits, Classes, labels);
    }

    static double Normal(SplitMix64 random) =>
        Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());
}
