namespace RegistryUnlearn.Auditing.Tests;

public class RetrainFreeTests
{
    const int Classes = 3;

    [Fact]
    public void A_case_by_hand()
    {
        // Class 0: forget confidences 3, 0 against 2, 1: of four pairs two are won. Class 1: 5 against 4: one pair, won.
        var forget = Set("forget", [0, 0, 1], [3, 0, 5]);
        var unseen = Set("test", [0, 0, 1], [2, 1, 4]);
        var matched = MatchedAttack.Of(forget, unseen)!;

        Assert.Equal((2.0 / 3 * .5) + (1.0 / 3), matched.Auc, 1e-12);
        // Variances (2+2+1)/(12·2·2) and (1+1+1)/12, weighted with the squares of 2/3 and 1/3.
        var reach = 1.959963984540054 * Math.Sqrt((4.0 / 9 * 5 / 48) + (1.0 / 9 * 3 / 12));
        Assert.Equal(matched.Auc - reach, matched.Interval.Low, 1e-12);
        Assert.Equal(1, matched.Interval.High);
        // Ascending losses: 5 (ours), 4 (theirs), 3 (ours), 2 (theirs), 1 (theirs), 0 (ours); each step is one third.
        Assert.Equal(1.0 / 3, matched.Ks, 1e-12);
        Assert.Equal((3, 0), (matched.Matched, matched.Unmatched));
    }

    [Fact]
    public void One_sample_proves_nothing_by_itself()
    {
        var matched = MatchedAttack.Of(Set("forget", [0], [9]), Set("test", [0, 0, 0, 0], [1, 2, 3, 4]))!;
        Assert.Equal(1, matched.Auc);
        Assert.InRange(matched.Interval.Low, .3, .5);
    }

    [Fact]
    public void Samples_of_classes_without_unseen_ones_are_counted_and_left_out()
    {
        var matched = MatchedAttack.Of(Set("forget", [0, 2], [1, 1]), Set("test", [0, 1], [2, 9]))!;
        Assert.Equal((1, 1, 0), (matched.Matched, matched.Unmatched, (int)matched.Auc));
        Assert.Null(MatchedAttack.Of(Set("forget", [2], [1]), Set("test", [0, 1], [2, 9])));
    }

    [Fact]
    public void A_wrong_label_is_compared_under_that_label()
    {
        // A model that never saw the canary gives its true class 0, and so the label 1 a large loss, as for any sample of class 0.
        float[] unsure = [2, 0, -1];
        var forget = new SetOutputs("forget", unsure, Classes, [1], [0]);
        var unseen = new SetOutputs("test", [.. unsure, .. unsure, 0, 5, 0], Classes, [0, 0, 1]);
        var matched = MatchedAttack.Of(forget, unseen)!;
        Assert.Equal((.5, 0), (matched.Auc, matched.Ks));
        Assert.Equal(forget.Losses[0], unseen.LossAs(0, 1)!.Value, 1e-12);

        var memorised = new SetOutputs("forget", [0, 9, 0], Classes, [1], [0]);
        Assert.Equal(1, MatchedAttack.Of(memorised, unseen)!.Auc);
    }

    [Fact]
    public void Exchangeable_samples_lie_inside_their_interval_as_often_as_it_says()
    {
        var inside = 0;
        for (var trial = 0; trial < 400; trial++)
        {
            var values = Normals.Draw((ulong)trial + 1, 60);
            int[] labels = [.. Enumerable.Range(0, 60).Select(i => i % Classes)];
            var matched = MatchedAttack.Of(Set("forget", labels[..20], values[..20]), Set("test", labels[20..], values[20..]))!;
            inside += matched.Interval.Low <= .5 && matched.Interval.High >= .5 ? 1 : 0;
        }

        // 95 % of 400 is 380, with a standard deviation of 4.4.
        Assert.InRange(inside, 362, 397);
    }

    [Fact]
    public void Order_does_not_matter()
    {
        ModelOutputs before = SampleAudit.Outputs("before", leak: 1, seed: 1), after = SampleAudit.Outputs("after", leak: .4, seed: 2);
        var first = RetrainFreeEstimates.Of(after, before);
        var second = RetrainFreeEstimates.Of(
            SampleAudit.Outputs("after", leak: .4, seed: 2, reversed: true),
            SampleAudit.Outputs("before", leak: 1, seed: 1, reversed: true));
        Assert.Equal(first.Matched!.Auc, second.Matched!.Auc, 1e-12);
        Assert.Equal(first.Matched.Ks, second.Matched.Ks, 1e-12);
        Assert.Equal(first.KeptAccuracy!.Value, second.KeptAccuracy!.Value, 1e-12);
        Assert.Equal(first.Change, second.Change, 1e-12);
        Assert.Equal(first.Neighbours!.ConfidenceLost, second.Neighbours!.ConfidenceLost, 1e-9);
    }

    [Fact]
    public void A_removed_class_does_not_count_against_usefulness()
    {
        var outputs = new ModelOutputs("after", new Dictionary<string, SetOutputs>
        {
            [AuditSets.Forget] = Set("forget", [2, 2], [-3, -4]),
            [AuditSets.Retained] = Set("retained", [0, 1], [5, 5]),
            [AuditSets.Test] = Set("test", [0, 1, 1, 2, 2], [4, 4, -1, -3, -5]),
        });
        var estimates = RetrainFreeEstimates.Of(outputs, outputs);
        Assert.Equal(2.0 / 3, estimates.KeptAccuracy!.Value, 1e-12);
        Assert.Equal((0, null), (estimates.Change, estimates.Neighbours));
        Assert.Equal(2.5 / 4, estimates.Matched!.Auc);
    }

    [Fact]
    public void Neighbours_that_were_damaged_stand_out()
    {
        // Forget samples lie at one end of a line of logits; near them unseen samples lose confidence, elsewhere they do not.
        const int unseen = 200;
        var places = Enumerable.Range(0, unseen).Select(i => (double)i / unseen).ToArray();
        var forget = OnLine(AuditSets.Forget, [0, .01, .02], _ => 0);
        var before = OnLine(AuditSets.Test, places, _ => 0);
        var damaged = NeighbourLeakage.Of(forget, before, OnLine(AuditSets.Test, places, x => x < .1 ? 2 : 0))!;
        Assert.Equal((20, 1.0), (damaged.Neighbours, damaged.Auc));
        Assert.Equal(2, damaged.ConfidenceLost, 1e-5);
        var untouched = NeighbourLeakage.Of(forget, before, before)!;
        Assert.Equal((.5, 0.0), (untouched.Auc, untouched.ConfidenceLost));
        var few = OnLine(AuditSets.Test, places[..50], _ => 0);
        Assert.Null(NeighbourLeakage.Of(forget, few, few));
    }

    [Theory]
    [InlineData(5, 10, .5)]
    [InlineData(0, 12, 0.0)]
    [InlineData(0, 0, null)]
    public void The_ratio_of_relearning(double forget, double control, double? ratio) =>
        Assert.Equal(ratio, new RelearnTime(forget, control, 8).Ratio);

    /// <summary>Samples of class 0 with a given logit-scaled confidence.</summary>
    static SetOutputs Set(string name, int[] labels, double[] confidences)
    {
        var logits = new float[labels.Length * Classes];
        for (var i = 0; i < labels.Length; i++)
            logits[(i * Classes) + labels[i]] = (float)(confidences[i] + Math.Log(Classes - 1));
        return new(name, logits, Classes, labels);
    }

    /// <summary>Samples of class 0 along a line in logit space that does not change their confidence, with what they lost of it.</summary>
    static SetOutputs OnLine(string name, double[] places, Func<double, double> lost)
    {
        var logits = new float[places.Length * Classes];
        for (var i = 0; i < places.Length; i++)
        {
            var share = .1 + (.8 * places[i]);
            logits[i * Classes] = (float)(1 - lost(places[i]));
            logits[(i * Classes) + 1] = (float)Math.Log(share);
            logits[(i * Classes) + 2] = (float)Math.Log(1 - share);
        }

        return new(name, logits, Classes, new int[places.Length]);
    }
}
