using RegistryUnlearn.Unlearning.Data;
using RegistryUnlearn.Unlearning.Tests.Methods;

namespace RegistryUnlearn.Unlearning.Tests.Data;

/// <summary>Views of samples that need not be images: noise, and values taken from other samples.</summary>
public class PerturbedViewsTests
{
    const int Rows = 2000, Columns = 4;

    /// <summary>Column c has the mean 10·c and the standard deviation c.</summary>
    static readonly DataSet Table = Tiny.Data(Drawn(), [Columns], new long[Rows]);

    [Fact]
    public void Spread_is_that_of_every_column()
    {
        Assert.Equal(0, Table.Spread[0], 1e-3);
        for (var c = 1; c < Columns; c++)
            Assert.InRange(Table.Spread[c], 0.93 * c, 1.07 * c);
    }

    [Theory]
    [InlineData(0.5f)]
    [InlineData(2f)]
    public void Noise_has_the_asked_share_of_the_spread(float noise)
    {
        var (plain, noisy) = (Values(null), Values(new View { Noise = noise, Draw = 3 }));

        for (var c = 0; c < Columns; c++)
        {
            var difference = Column(noisy, c).Zip(Column(plain, c), (a, b) => (double)a - b).ToArray();
            var expected = noise * Table.Spread[c];
            Assert.InRange(Math.Sqrt(difference.Average(d => d * d)), 0.93 * expected - 1e-4, 1.07 * expected + 1e-4);
            Assert.InRange(difference.Average(), -0.1 * expected - 1e-4, 0.1 * expected + 1e-4);
        }
    }

    [Theory]
    [InlineData(0.1f)]
    [InlineData(0.5f)]
    public void Swapped_values_come_from_the_same_column_of_others(float share)
    {
        var (plain, swapped) = (Values(null), Values(new View { Swapped = share, Draw = 4 }));

        for (var c = 1; c < Columns; c++)
        {
            var column = Column(plain, c).ToHashSet();
            Assert.All(Column(swapped, c), value => Assert.Contains(value, column));
            var changed = Column(swapped, c).Zip(Column(plain, c)).Count(p => p.First != p.Second) / (double)Rows;
            Assert.InRange(changed, share - 0.04, share + 0.04);
        }
    }

    [Fact]
    public void A_view_of_a_sample_is_always_the_same_and_draws_differ()
    {
        var view = new View { Noise = 1, Draw = 5 };

        Assert.Equal(Values(view), Values(view));
        Assert.NotEqual(Values(view), Values(view with { Draw = 6 }));
    }

    [Fact]
    public void Tokens_have_no_perturbed_views()
    {
        var words = DataSet.From(NpyArray.Of<long>("x", [2, 3], new long[6]), NpyArray.Of<long>("y", [2], new long[2]));

        Assert.False(SampleSource.CanMove(words, new View { Noise = 1 }));
        Assert.True(SampleSource.CanMove(Table, new View { Noise = 1 }));
        Assert.False(SampleSource.CanMove(Table, new View(0, 0, true)));
    }

    static float[] Values(View? view)
    {
        var source = view is { } change ? SampleSource.Of(Table.All("all"), change) : SampleSource.Of(Table.All("all"));
        var values = new float[Rows * Columns];
        source.FillFrom(0, values);
        return values;
    }

    static float[] Column(float[] values, int column) => [.. values.Where((_, i) => i % Columns == column)];

    static float[] Drawn()
    {
        var rng = Rng.For(7, "table", 0);
        var values = new float[Rows * Columns];
        for (var i = 0; i < values.Length; i++)
            values[i] = 10 * (i % Columns) + i % Columns * (float)rng.NextNormal();
        return values;
    }
}
