using RegistryUnlearn.Training.Algebra;
using RegistryUnlearn.Training.Buffers;
using RegistryUnlearn.Training.Tests.Buffers;
using RegistryUnlearn.Training.Tests.Devices;

namespace RegistryUnlearn.Training.Tests.Algebra;

public sealed class BlockAlgebraTests
{
    [Theory]
    [InlineData("cpu", 1, 0, new[] { 1f, -2, 3 })]
    [InlineData("cpu", 1, 2, new[] { 9f, 8, 15 })]
    [InlineData("cpu", 0.5f, -1, new[] { -3.5f, -6, -4.5f })]
    [InlineData("test", 1, 0, new[] { 1f, -2, 3 })]
    [InlineData("test", 1, 2, new[] { 9f, 8, 15 })]
    [InlineData("test", 0.5f, -1, new[] { -3.5f, -6, -4.5f })]
    public void Mixes_into_the_first_block(string device, float keep, float weight, float[] expected)
    {
        var on = TestDevice.Of(device);
        using var target = Blocks.On(on, [1, -2], [3]);
        using var other = Blocks.On(on, [4, 5], [6]);
        using var algebra = BlockAlgebra.On(on, target.Layout);
        algebra.Mix(target, keep, other, weight);
        Assert.Equal(expected, target.Values());
        Assert.Equal([4, 5, 6], other.Values());
    }

    [Theory, MemberData(nameof(TestDevice.Names), MemberType = typeof(TestDevice))]
    public void Multiplies_and_adds_signs_element_by_element(string device)
    {
        var on = TestDevice.Of(device);
        using var target = Blocks.On(on, [1, -2], [3]);
        using var other = Blocks.On(on, [4, -5], [0]);
        using var algebra = BlockAlgebra.On(on, target.Layout);
        algebra.AddSigns(target, other, 0.5f);
        Assert.Equal([1.5f, -2.5f, 3], target.Values());
        algebra.Multiply(target, other);
        Assert.Equal([6, 12.5f, 0], target.Values());
        Assert.Equal([4, -5, 0], other.Values());
    }

    [Theory, MemberData(nameof(TestDevice.Names), MemberType = typeof(TestDevice))]
    public void Sums_the_squares_of_all_tensors(string device)
    {
        var on = TestDevice.Of(device);
        using var block = Blocks.On(on, [1, -2], [3]);
        using TensorBlock large = Blocks.On(on, [2e19f], [0]), broken = Blocks.On(on, [1], [float.NaN]);
        using IBlockAlgebra algebra = BlockAlgebra.On(on, block.Layout), other = BlockAlgebra.On(on, large.Layout);
        Assert.Equal(14, algebra.SquareSum(block));
        Assert.Equal(double.PositiveInfinity, other.SquareSum(large));
        Assert.True(double.IsNaN(other.SquareSum(broken)));
    }
}
