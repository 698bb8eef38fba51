using RegistryUnlearn.Unlearning.Data;

namespace RegistryUnlearn.Unlearning.Tests.Data;

public class BatchesTests
{
    [Theory]
    [InlineData(10, 4, new[] { 4, 4, 2 })]
    [InlineData(8, 4, new[] { 4, 4 })]
    [InlineData(3, 5, new[] { 3 })]
    public void An_epoch_visits_every_sample_once(int count, int batchSize, int[] sizes)
    {
        var batches = new EpochBatches(Sample.Rows(count).All("retained"), batchSize, 1);

        for (var epoch = 0; epoch < 3; epoch++)
        {
            var visited = sizes.Select((_, i) => batches.At((epoch * sizes.Length) + i).ToArray()).ToArray();
            Assert.Equal(sizes, visited.Select(batch => batch.Length));
            Assert.Equal(Enumerable.Range(0, count), visited.SelectMany(batch => batch).Order());
        }

        Assert.Equal(sizes.Length, batches.BatchesPerEpoch);
    }

    [Fact]
    public void Epochs_differ_and_a_resumed_run_sees_the_same_batches()
    {
        var subset = Sample.Rows(40).All("retained");
        var batches = new EpochBatches(subset, 8, 1);
        var steps = Enumerable.Range(0, 12).Select(step => batches.At(step).ToArray()).ToArray();

        Assert.NotEqual(steps[0], steps[5]);
        for (var step = 11; step >= 0; step--)
            Assert.Equal(steps[step], new EpochBatches(subset, 8, 1).At(step).ToArray());
        Assert.NotEqual(steps[0], new EpochBatches(subset, 8, 2).At(0).ToArray());
    }

    [Theory]
    [InlineData(10, 4)]
    [InlineData(3, 8)]
    [InlineData(1, 3)]
    [InlineData(6, 6)]
    public void Cycling_uses_all_samples_equally_often_up_to_one(int count, int batchSize)
    {
        var batches = new CyclicBatches(Sample.Rows(count).All("forget"), batchSize, 1);
        var uses = new int[count];
        for (var step = 0; step < 25; step++)
        {
            foreach (var row in batches.At(step))
                uses[row]++;
            Assert.InRange(uses.Max() - uses.Min(), 0, 1);
        }

        Assert.Equal(25 * batchSize, uses.Sum());
    }

    [Fact]
    public void Cycling_is_a_function_of_the_step()
    {
        var subset = Sample.Rows(10).All("forget");
        var batches = new CyclicBatches(subset, 4, 1);
        var steps = Enumerable.Range(0, 12).Select(step => batches.At(step).ToArray()).ToArray();

        for (var step = 11; step >= 0; step--)
            Assert.Equal(steps[step], new CyclicBatches(subset, 4, 1).At(step).ToArray());
    }

    [Fact]
    public void Support_and_queries_come_from_different_classes()
    {
        var labels = Enumerable.Range(0, 200).Select(row => (long)(row % 10)).ToArray();
        var subset = Sample.Rows(labels).All("retained");
        var partition = new SupportQueryPartition(subset, 16, 8, 3, 1);
        var divisions = new HashSet<string>();
        for (var step = 0; step < 50; step++)
        {
            partition.Draw(step);
            var queries = Enumerable.Range(0, 3).SelectMany(m => partition.Query(m).ToArray()).ToArray();
            var support = partition.Support.ToArray();

            Assert.Equal(PartitionRule.Groups, partition.Rule);
            Assert.Equal(16, support.Distinct().Count());
            Assert.Equal(24, queries.Distinct().Count());
            Assert.Empty(support.Select(row => labels[row]).Intersect(queries.Select(row => labels[row])));
            divisions.Add(string.Join(",", support.Select(row => labels[row]).Distinct().Order()));
        }

        Assert.True(divisions.Count > 25, "the partition is redrawn");
    }

    /// <summary>Labels, support and query size, the rule needed: a class too small, one class only, too few samples.</summary>
    [Theory]
    [InlineData("0000011111", 5, 5, PartitionRule.Groups)]
    [InlineData("0000011111", 6, 4, PartitionRule.Samples)]
    [InlineData("0111111111", 4, 4, PartitionRule.Samples)]
    [InlineData("0000000000", 4, 4, PartitionRule.Samples)]
    [InlineData("0000000000", 8, 8, PartitionRule.RepeatedSamples)]
    [InlineData("01", 1, 1, PartitionRule.Groups)]
    [InlineData("00", 3, 2, PartitionRule.RepeatedSamples)]
    public void Falls_back_when_a_part_is_too_small(string digits, int supportSize, int querySize, PartitionRule rule)
    {
        var subset = Sample.Rows([.. digits.Select(digit => (long)(digit - '0'))]).All("retained");
        var partition = new SupportQueryPartition(subset, supportSize, querySize, 2, 1);
        for (var step = 0; step < 20; step++)
        {
            partition.Draw(step);
            var queries = partition.Query(0).ToArray().Concat(partition.Query(1).ToArray()).ToArray();

            Assert.Equal(rule, partition.Rule);
            Assert.Equal(supportSize, partition.Support.Length);
            Assert.Equal(2 * querySize, queries.Length);
            Assert.Empty(partition.Support.ToArray().Intersect(queries));
            if (rule is not PartitionRule.RepeatedSamples)
                Assert.Equal(querySize, partition.Query(0).ToArray().Distinct().Count());
        }
    }

    [Fact]
    public void Groups_given_by_the_caller_replace_the_classes()
    {
        var subset = Sample.Rows(12).All("retained");
        long[] groups = [.. Enumerable.Range(0, 12).Select(i => i % 2 is 0 ? -5L : long.MaxValue)];
        var partition = new SupportQueryPartition(subset, 3, 3, 1, 1, groups);

        partition.Draw(0);

        Assert.Single(partition.Support.ToArray().Select(row => row % 2).Distinct());
        Assert.Single(partition.Query(0).ToArray().Select(row => row % 2).Distinct());
        Assert.NotEqual(partition.Support[0] % 2, partition.Query(0)[0] % 2);
    }

    [Fact]
    public void A_partition_is_a_function_of_seed_and_step()
    {
        var subset = Sample.Rows([.. Enumerable.Range(0, 60).Select(row => (long)(row % 6))]).All("retained");
        static int[] Draw(SupportQueryPartition partition, long step)
        {
            partition.Draw(step);
            return [.. partition.Support, .. partition.Query(0)];
        }

        var running = new SupportQueryPartition(subset, 8, 8, 1, 1);
        var steps = Enumerable.Range(0, 10).Select(step => Draw(running, step)).ToArray();

        for (var step = 9; step >= 0; step--)
            Assert.Equal(steps[step], Draw(new SupportQueryPartition(subset, 8, 8, 1, 1), step));
        Assert.NotEqual(steps[0], Draw(new SupportQueryPartition(subset, 8, 8, 1, 2), 0));
    }

    [Fact]
    public void One_sample_cannot_be_divided() =>
        Assert.Contains("a single sample", Assert.Throws<DataException>(
            () => new SupportQueryPartition(Sample.Rows(1).All("retained"), 1, 1, 1, 1)).Message);

    [Fact]
    public void Steps_allocate_nothing()
    {
        var subset = Sample.Rows([.. Enumerable.Range(0, 60).Select(row => (long)(row % 6))]).All("retained");
        var (epochs, cycle) = (new EpochBatches(subset, 7, 1), new CyclicBatches(subset, 7, 1));
        var partition = new SupportQueryPartition(subset, 8, 8, 2, 1);
        long Run(int from)
        {
            var sum = 0L;
            for (var step = from; step < from + 30; step++)
            {
                partition.Draw(step);
                sum += epochs.At(step)[0] + cycle.At(step)[0] + partition.Support[0] + partition.Query(1)[0];
            }

            return sum;
        }

        Run(0);
        var before = GC.GetAllocatedBytesForCurrentThread();
        var sum = Run(30);

        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
        Assert.True(sum > 0);
    }
}
