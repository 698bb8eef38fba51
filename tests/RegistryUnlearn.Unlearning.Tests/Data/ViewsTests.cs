using RegistryUnlearn.Unlearning.Data;

namespace RegistryUnlearn.Unlearning.Tests.Data;

public class ViewsTests
{
    /// <summary>The image is 1 2 3 / 4 5 6; rows are read from the top.</summary>
    [Theory]
    [InlineData(0, 0, false, ViewPadding.Edge, "123456")]
    [InlineData(0, 0, true, ViewPadding.Edge, "321654")]
    [InlineData(1, 0, false, ViewPadding.Edge, "112445")]
    [InlineData(-1, 0, false, ViewPadding.Edge, "233566")]
    [InlineData(0, 1, false, ViewPadding.Edge, "123123")]
    [InlineData(1, 0, false, ViewPadding.Reflect, "212545")]
    [InlineData(2, 0, false, ViewPadding.Reflect, "321654")]
    [InlineData(-1, -1, false, ViewPadding.Reflect, "565232")]
    [InlineData(-2, 0, false, ViewPadding.Constant, "399699")]
    [InlineData(0, -1, false, ViewPadding.Constant, "456999")]
    [InlineData(1, 1, true, ViewPadding.Constant, "999932")]
    [InlineData(1, 0, true, ViewPadding.Edge, "332665")]
    [InlineData(-1, 0, true, ViewPadding.Reflect, "212545")]
    public void Moves_one_image(int dx, int dy, bool flip, ViewPadding padding, string expected)
    {
        float[] image = [1, 2, 3, 4, 5, 6];
        var target = new float[6];

        Views.Shift(image, 2, 3, new View(dx, dy, flip), padding, target, [9]);

        Assert.Equal(expected, string.Concat(target));
    }

    [Fact]
    public void Backgrounds_go_by_channel()
    {
        float[] images = [1, 2, 3, 4, 5, 6, 7, 8];
        var target = new float[8];

        Views.Shift(images, 1, 2, new View(1, 0, false), ViewPadding.Constant, target, [-1, -2]);

        Assert.Equal([-1, 1, -2, 3, -1, 5, -2, 7], target);
    }

    [Fact]
    public void Allocates_nothing()
    {
        var (images, target) = (new float[3 * 32 * 32], new float[3 * 32 * 32]);
        Views.Shift(images, 32, 32, new View(1, 2, true), ViewPadding.Reflect, target);

        var before = GC.GetAllocatedBytesForCurrentThread();
        Views.Shift(images, 32, 32, new View(-2, 1, true), ViewPadding.Reflect, target);

        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
    }

    [Fact]
    public void Refuses_what_does_not_fit()
    {
        var image = new float[6];

        Assert.Throws<ArgumentException>(() => Views.Shift(image, 2, 3, new View(3, 0, false), ViewPadding.Edge, new float[6]));
        Assert.Throws<ArgumentException>(() => Views.Shift(image, 2, 3, new View(0, int.MinValue, false), ViewPadding.Edge, new float[6]));
        Assert.Throws<ArgumentException>(() => Views.Shift(image, 2, 3, default, ViewPadding.Edge, new float[5]));
        Assert.Throws<ArgumentException>(() => Views.Shift(image, 2, 2, default, ViewPadding.Edge, new float[6]));
        Assert.Throws<ArgumentException>(() => Views.Shift(image, 2, 3, default, ViewPadding.Edge, image));
        Assert.Throws<ArgumentException>(() => Views.Shift(image, 2, 3, default, ViewPadding.Constant, new float[6]));
    }
}
