using RegistryUnlearn.Unlearning.Data;
using RegistryUnlearn.Unlearning.Tests.Methods;

namespace RegistryUnlearn.Unlearning.Tests.Data;

public class FractionalViewsTests
{
    /// <summary>The image is 1 2 3 / 4 5 6; expected values are computed by hand.</summary>
    [Theory]
    [InlineData(0.5f, 0, false, ViewPadding.Edge, new[] { 1, 1.5f, 2.5f, 4, 4.5f, 5.5f })]
    [InlineData(-0.5f, 0, false, ViewPadding.Edge, new[] { 1.5f, 2.5f, 3, 4.5f, 5.5f, 6 })]
    [InlineData(0, 0.5f, false, ViewPadding.Edge, new[] { 1, 2, 3, 2.5f, 3.5f, 4.5f })]
    [InlineData(0, -0.5f, false, ViewPadding.Edge, new[] { 2.5f, 3.5f, 4.5f, 4, 5, 6 })]
    [InlineData(0.5f, 0.5f, false, ViewPadding.Edge, new[] { 1, 1.5f, 2.5f, 2.5f, 3, 4 })]
    [InlineData(0.5f, 0, true, ViewPadding.Edge, new[] { 3, 2.5f, 1.5f, 6, 5.5f, 4.5f })]
    [InlineData(1.25f, 0, false, ViewPadding.Edge, new[] { 1, 1, 1.75f, 4, 4, 4.75f })]
    [InlineData(0.25f, 0, false, ViewPadding.Reflect, new[] { 1.25f, 1.75f, 2.75f, 4.25f, 4.75f, 5.75f })]
    [InlineData(2.5f, 0, false, ViewPadding.Reflect, new[] { 2.5f, 2.5f, 1.5f, 5.5f, 5.5f, 4.5f })]
    [InlineData(-2.5f, 0, false, ViewPadding.Reflect, new[] { 2.5f, 1.5f, 1.5f, 5.5f, 4.5f, 4.5f })]
    [InlineData(0, 1.5f, false, ViewPadding.Reflect, new[] { 2.5f, 3.5f, 4.5f, 2.5f, 3.5f, 4.5f })]
    [InlineData(0.5f, 0, false, ViewPadding.Constant, new[] { 5, 1.5f, 2.5f, 6.5f, 4.5f, 5.5f })]
    [InlineData(0, -0.5f, false, ViewPadding.Constant, new[] { 2.5f, 3.5f, 4.5f, 6.5f, 7, 7.5f })]
    public void Interpolates_between_pixels(float dx, float dy, bool flip, ViewPadding padding, float[] expected)
    {
        var target = new float[6];

        Views.Shift([1, 2, 3, 4, 5, 6], 2, 3, new View(dx, dy, flip), padding, target, [9]);

        Assert.Equal(expected, target);
    }

    [Theory]
    [InlineData(ViewPadding.Edge)]
    [InlineData(ViewPadding.Reflect)]
    public void A_single_column_has_nothing_beside_it(ViewPadding padding)
    {
        var target = new float[2];

        Views.Shift([1, 2], 2, 1, new View(0.5f, 0, false), padding, target);

        Assert.Equal([1, 2], target);
    }

    [Fact]
    public void Planes_do_not_mix()
    {
        var target = new float[8];

        Views.Shift([1, 2, 3, 4, 10, 20, 30, 40], 2, 2, new View(-0.5f, 0.5f, false), ViewPadding.Constant, target, [0, 100]);

        Assert.Equal([0.75f, 0.5f, 2.5f, 1.5f, 57.5f, 80, 25, 65], target);
    }

    [Theory]
    [InlineData(float.NaN, 0)]
    [InlineData(0, float.PositiveInfinity)]
    [InlineData(3, 0)]
    [InlineData(0, -2)]
    public void Refuses_to_leave_the_frame(float dx, float dy) => Assert.Throws<ArgumentException>(
        () => Views.Shift(new float[6], 2, 3, new View(dx, dy, false), ViewPadding.Edge, new float[6]));
}

public class SampleSourceTests
{
    static readonly DataSet Images = Tiny.Data([.. Enumerable.Range(0, 24).Select(i => (float)i)], [1, 2, 3], 7, 8, 9, 6);

    [Fact]
    public void Gives_the_samples_of_a_subset_in_order()
    {
        var source = SampleSource.Of(Images.Select([3, 1], "retained"));
        var two = new float[12];
        source.FillFrom(0, two);

        Assert.Equal((2, 6), (source.Count, source.SampleSize));
        Assert.Equal([8, 6], source.Labels);
        Assert.Equal([6, 7, 8, 9, 10, 11, 18, 19, 20, 21, 22, 23], two);
    }

    [Fact]
    public void Gives_views_with_the_nearest_pixel_at_the_border()
    {
        var source = SampleSource.Of(Images.All("retained"), new View(0.5f, 0, false));
        var one = new float[6];
        source.FillFrom(1, one);

        Assert.Equal([6, 6.5f, 7.5f, 9, 9.5f, 10.5f], one);
        source.Fill(1, null, one);
        Assert.Equal([6, 7, 8, 9, 10, 11], one);
        source.Fill(0, new View(0, 0, true), one);
        Assert.Equal([2, 1, 0, 5, 4, 3], one);
    }

    [Fact]
    public void Keeps_chosen_places_with_their_views()
    {
        var source = SampleSource.Of(Images.All("retained"), new View(1, 0, false)).At([2, 0]);
        var two = new float[12];
        source.FillFrom(0, two);

        Assert.Equal([9, 7], source.Labels);
        Assert.Equal([12, 12, 13, 15, 15, 16, 0, 0, 1, 3, 3, 4], two);
    }

    [Theory]
    [InlineData(new long[] { 4 }, 0.5f, "(4)")]
    [InlineData(new long[] { 2, 2 }, 0.5f, "(2, 2)")]
    [InlineData(new long[] { 1, 2, 2 }, 2f, "(1, 2, 2)")]
    public void Only_images_move(long[] shape, float dx, string described)
    {
        var data = Tiny.Data(new float[4], shape, 0);

        Assert.False(SampleSource.CanMove(data, new View(dx, 0, false)));
        Assert.Equal(
            $"memory: samples of shape {described} cannot be moved; "
            + "views need numbers with one label per sample, and shifts images of channels × height × width; "
            + "choose another target than views and give a holdout.",
            Assert.Throws<DataException>(() => SampleSource.Of(data.All("retained"), new View(dx, 0, false))).Message);
    }
}
