using RegistryUnlearn.Auditing.Statistics;

namespace RegistryUnlearn.Auditing.Tests;

public class ScorePoolTests
{
    [Fact]
    public void Pool_of_models_is_read_by_sample()
    {
        var pool = ScorePool.OfModels([[1, 2, 3], [4, 5, 6]]);
        Assert.Equal((3, 2), (pool.Samples, pool.LeastModels));
        Assert.Equal([2.0, 5], pool[1].ToArray());
    }

    [Fact]
    public void Pool_keeps_its_values_when_the_source_changes()
    {
        double[] values = [1, 2];
        var pool = ScorePool.OfSamples([values]);
        values[0] = 9;
        Assert.Equal([1.0, 2], pool[0].ToArray());
    }

    [Fact]
    public void Split_parts_every_sample_by_who_saw_it()
    {
        var (seen, unseen) = ScorePool.Split([[1, 2], [3, 4], [5, 6]], [[true, false], [true, true], [false, false]]);
        Assert.Equal([1.0, 3], seen[0].ToArray());
        Assert.Equal([4.0], seen[1].ToArray());
        Assert.Equal([5.0], unseen[0].ToArray());
        Assert.Equal([2.0, 6], unseen[1].ToArray());
        Assert.Equal((1, 1), (seen.LeastModels, unseen.LeastModels));
    }

    [Fact]
    public void Pools_that_no_statistic_can_use_are_refused()
    {
        Refused(() => ScorePool.OfModels([]), "no models");
        Refused(() => ScorePool.OfModels([[]]), "no samples");
        Refused(() => ScorePool.OfSamples([]), "no samples");
        Refused(() => ScorePool.OfSamples([[1], []]), "empty");
        Refused(() => ScorePool.OfModels([[1, 2], [3]]), "1 samples where 2");
        Refused(() => ScorePool.OfModels([[1, double.NaN]]), "finite");
        Refused(() => ScorePool.OfSamples([[double.NegativeInfinity]]), "finite");
        Refused(() => ScorePool.Split([[1], [2]], [[true]]), "1 samples where 2");
        Refused(() => ScorePool.Split([[1], [2]], [[true], []]), "0 samples where 1");
        Refused(() => ScorePool.Split([[1], [2]], [[true], [true]]), "empty");
    }

    static void Refused(Action make, string reason) => Assert.Contains(reason, Assert.Throws<ArgumentException>(make).Message);
}
