namespace RegistryUnlearn.Auditing;

/// <summary>The rules of the oracle format beyond its JSON types; the first broken one is reported with its field.</summary>
static class OracleFileRules
{
    // Far beyond any classifier; keeps products of class indices within 64 bits.
    const int MaxClasses = 1 << 24;

    public static void Check(OracleFile file, string source)
    {
        var at = new Place(source, "$");
        at.Field("schemaVersion").Require(
            file.SchemaVersion == OracleFile.CurrentSchema, $"is {file.SchemaVersion}; this release reads {OracleFile.CurrentSchema}");
        CheckDigest(at.Field("modelDigest"), file.ModelDigest);
        CheckDigest(at.Field("requestDigest"), file.RequestDigest);
        at.Field("oracles").Require(file.Oracles.Count > 0, "is empty; at least one oracle is needed, five or more for a band");

        for (var i = 0; i < file.Oracles.Count; i++)
        {
            var oracle = file.Oracles[i];
            var here = at.Field($"oracles[{i}]");
            here.Field("name").Require(oracle.Name.Length is > 0 and <= 200, "must have 1 to 200 characters");
            here.Field("name").Require(
                file.Oracles.Take(i).All(other => other.Name != oracle.Name), "is used twice; every oracle counts once");
            CheckSummary(here.Field("summary"), oracle.Summary);
            var first = file.Oracles[0].Summary;
            here.Require(
                oracle.Summary.Classes == first.Classes && oracle.Summary.Forget.Count == first.Forget.Count,
                "differs from oracle 0 in classes or in the size of the forget set; oracles of one file share one request");
        }
    }

    static void CheckDigest(Place at, string digest) => at.Require(
        digest.Length == 71
        && digest.StartsWith("sha256:", StringComparison.Ordinal)
        && digest.AsSpan(7).IndexOfAnyExcept("0123456789abcdef") < 0,
        "must be 'sha256:' and 64 lower-case hexadecimal digits");

    static void CheckSummary(Place at, ModelSummary summary)
    {
        at.Field("classes").Require(summary.Classes is >= 2 and <= MaxClasses, $"must lie between 2 and {MaxClasses}");
        foreach (var name in AuditSets.All)
            if (summary.Set(name) is { } set)
                CheckSet(at.Field(name), set, summary.Classes, complete: name == AuditSets.Forget);
        CheckAttack(at.Field("versusTest"), summary.VersusTest, summary.Test);
        CheckAttack(at.Field("versusHoldout"), summary.VersusHoldout, summary.Holdout);
        if (summary.Canary is { } canary)
        {
            CheckShare(at.Field("canary.trainedLabel"), canary.TrainedLabel);
            CheckShare(at.Field("canary.trueLabel"), canary.TrueLabel);
            at.Field("canary.count").Require(
                canary.Count > 0 && canary.Count <= (summary.Forget.Labelled ?? summary.Forget.Count),
                "must lie between 1 and the forget count");
        }
    }

    static void CheckSet(Place at, SetSummary set, int classes, bool complete)
    {
        at.Field("count").Require(set.Count > 0, "must be positive");
        CheckShare(at.Field("accuracy"), set.Accuracy);
        at.Field("meanLoss").Require(double.IsFinite(set.MeanLoss) && set.MeanLoss >= 0, "must be finite and not negative");
        at.Field("labelled").Require(set.Labelled is null || set.Labelled >= set.Count, "must be at least 'count'");
        at.Field("confusion").Require(
            IsConfusion(set.Confusion, classes, set.Labelled ?? set.Count)
                || (set.Confusion.Length == 0 && set.Labelled > 0 && classes > SetSummary.MostClassesByPosition),
            "must hold (label, prediction, count) triples, ascending, with classes in range and counts that add up to 'count'");
        at.Field("losses").Require(
            complete ? set.Losses.Length == set.Count : set.Losses.Length > 0 && set.Losses.Length <= set.Count,
            complete ? "must have one loss per forget sample" : "must have between 1 and 'count' values");
        if (FirstBadLoss(set.Losses) is { } bad)
            at.Field($"losses[{bad}]").Require(false, "must be finite, not negative and ascending");
    }

    static bool IsConfusion(int[] cells, int classes, int total)
    {
        if (cells.Length % 3 != 0)
            return false;
        long sum = 0, previous = -1;
        for (var i = 0; i < cells.Length; i += 3)
        {
            var (label, prediction, count) = (cells[i], cells[i + 1], cells[i + 2]);
            var position = ((long)label * classes) + prediction;
            if ((uint)label >= (uint)classes || (uint)prediction >= (uint)classes || count <= 0 || position <= previous)
                return false;
            (previous, sum) = (position, sum + count);
        }

        return sum == total;
    }

    static int? FirstBadLoss(double[] losses)
    {
        for (var i = 0; i < losses.Length; i++)
            if (!double.IsFinite(losses[i]) || losses[i] < (i == 0 ? 0 : losses[i - 1]))
                return i;
        return null;
    }

    static void CheckAttack(Place at, AttackSummary? attack, SetSummary? reference)
    {
        at.Require(attack is null == reference is null, "must be present exactly when its reference set is");
        if (attack is null)
            return;
        CheckShare(at.Field("auc"), attack.Auc);
        CheckShare(at.Field("tprAtLowFpr"), attack.TprAtLowFpr);
        CheckShare(at.Field("ks"), attack.Ks);
    }

    static void CheckShare(Place at, double value) => at.Require(value is >= 0 and <= 1, "must lie between 0 and 1");

    readonly record struct Place(string Source, string Path)
    {
        public Place Field(string name) => new(Source, $"{Path}.{name}");

        public void Require(bool condition, string message)
        {
            if (!condition)
                throw new AuditInputException($"{Source}: field '{Path}' {message}; make the file again with the oracle command");
        }
    }
}
