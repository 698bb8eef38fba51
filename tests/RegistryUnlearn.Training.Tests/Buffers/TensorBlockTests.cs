using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using RegistryUnlearn.Onnx.Graphs;
using RegistryUnlearn.Training.Algebra;
using RegistryUnlearn.Training.Buffers;
using RegistryUnlearn.Training.Harmonization;
using RegistryUnlearn.Training.Optimizers;
using RegistryUnlearn.Training.Tests.Devices;

namespace RegistryUnlearn.Training.Tests.Buffers;

public sealed class TensorBlockTests
{
    [Theory]
    [InlineData(new[] { 1 }, 16)]
    [InlineData(new[] { 16 }, 16)]
    [InlineData(new[] { 17, 3, 0, 64 }, 32 + 16 + 0 + 64)]
    [InlineData(new int[0], 0)]
    public unsafe void Every_tensor_starts_on_a_64_byte_boundary(int[] counts, long length)
    {
        using var block = new TensorBlock(Blocks.Layout(counts));
        Assert.Equal(length, block.Length);
        for (var i = 0; i < counts.Length; i++)
        {
            Assert.Equal(counts[i], block[i].Length);
            Assert.Equal(0, (nint)Unsafe.AsPointer(ref MemoryMarshal.GetReference(block[i])) % 64);
        }
    }

    [Fact]
    public void A_tensor_and_its_OrtValue_are_the_same_memory()
    {
        using var block = new TensorBlock([new("a", [3]), new("b", [2, 2])]);
        block[1][3] = 7;
        Assert.Equal([0, 0, 0, 7], block.Value(1).GetTensorDataAsSpan<float>().ToArray());
        Assert.Equal([2, 2], block.Value(1).GetTensorTypeAndShape().Shape);
        Assert.Equal(["gradient/a", "gradient/b"], block.As("gradient/").Select(v => v.Name));
    }

    [Theory, MemberData(nameof(TestDevice.Names), MemberType = typeof(TestDevice))]
    public void Gaps_stay_zero_under_every_operation(string device)
    {
        var on = TestDevice.Of(device);
        using var theta = Blocks.On(on, [1, 2, 3], [4, 5, 6, 7, 8]);
        using TensorBlock remember = Blocks.On(on, [1, -1, 1], [1, 1, 1, 1, 1]), forget = Blocks.On(on, [-3, 1, 1], [2, -9, 1, 1, 1]);
        using var algebra = BlockAlgebra.On(on, theta.Layout);
        using IOptimizer sgd = algebra.SgdMomentum(0.9f, 0.1f), adam = algebra.AdamW(0.1f);
        foreach (var scope in Enum.GetValues<HarmonizationScope>())
            algebra.Harmonize(remember, forget, scope, HarmonizationMode.Symmetric, 0.5f);
        algebra.Mix(remember, 2, forget, -1);
        sgd.Step(theta, remember, 0.1f);
        adam.Step(theta, remember, 0.1f);
        using var copy = theta.Clone();
        foreach (var block in new[] { theta, remember, copy }.Concat(sgd.State).Concat(adam.State))
            Assert.All(block.Gaps(), gap => Assert.Equal(0, gap));
    }

    [Theory, MemberData(nameof(TestDevice.Names), MemberType = typeof(TestDevice))]
    public void A_clone_is_equal_and_separate(string device)
    {
        using var block = Blocks.On(TestDevice.Of(device), [1, 2], [3]);
        using var clone = block.Clone();
        Assert.Equal(block.Device, clone.Device);
        using var other = Blocks.Of([9, 2], [3]);
        block.CopyFrom(other);
        Assert.Equal([1, 2, 3], clone.Values());
        Assert.Equal([9, 2, 3], block.Values());
    }

    [Theory, MemberData(nameof(TestDevice.Names), MemberType = typeof(TestDevice))]
    public void A_new_block_holds_zeros(string device)
    {
        var on = TestDevice.Of(device);
        // Memory that was given back is what a device hands out next.
        Blocks.On(on, [1, 2, 3]).Dispose();
        using var block = new TensorBlock(Blocks.Layout(3), on);
        Assert.Equal([0, 0, 0], block.Values());
    }

    [Fact]
    public void A_block_on_a_device_cannot_be_read_by_the_host()
    {
        using var block = Blocks.On(TestDevice.Apart, [1, 2, 3]);
        const string message = "the block is in the memory of test; copy it to one of the host to read it";
        Assert.Equal(message, Assert.Throws<InvalidOperationException>(() => block[0].Length).Message);
        Assert.Equal(message, Assert.Throws<InvalidOperationException>(() => block.Part(0, 1).Length).Message);
        using var host = Blocks.Of([4, 5, 6]);
        Assert.Throws<InvalidOperationException>(() => host.Swap(block));
        Assert.Throws<InvalidOperationException>(() => block.Swap(host));
        Assert.Throws<InvalidOperationException>(() => host.Swap(host));
        using var row = new TensorBlock([new("p0", [1, 3])], TestDevice.Apart);
        Assert.StartsWith("the blocks hold parameters of different shapes",
            Assert.Throws<ArgumentException>(() => block.Swap(row)).Message, StringComparison.Ordinal);
    }

    /// <summary>More than one of the vectors that graphs over blocks take, and tensors across their bounds.</summary>
    [Fact]
    public void A_large_block_moves_in_parts()
    {
        const int many = (1 << 24) - 8;
        var on = TestDevice.Apart;
        float[] ends = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17];
        using TensorBlock values = new(Blocks.Layout(many, ends.Length)), block = new(values.Layout, on);
        (values[0][0], values[0][^1]) = (3, -3);
        ends.CopyTo(values[1]);
        block.CopyFrom(values);
        Assert.Equal(2, block.PartLayout.Count);
        using var algebra = BlockAlgebra.On(on, block.Layout);
        Assert.Equal(18 + ends.Sum(e => e * e), algebra.SquareSum(block));
        algebra.Mix(block, 2, block, 1);
        using var tripled = block.ToHost();
        Assert.Equal((9, -9), (tripled[0][0], tripled[0][^1]));
        Assert.Equal(ends.Select(e => 3 * e), tripled[1].ToArray());
    }

    public static TheoryData<string, int[], int[]> Mismatches { get; } = new()
    {
        { "cpu", [3], [4, 1] },
        { "cpu", [3], [30] },
        { "cpu", [3, 20], [20, 3] },
        { "cpu", [3], [4] },
        { "test", [3], [30] },
        { "test", [3], [4] },
    };

    [Theory, MemberData(nameof(Mismatches))]
    public void Blocks_of_different_parameters_do_not_mix(string device, int[] one, int[] other)
    {
        var on = TestDevice.Of(device);
        using TensorBlock a = new(Blocks.Layout(one), on), b = new(Blocks.Layout(other), on);
        using var algebra = BlockAlgebra.On(on, a.Layout);
        using IOptimizer sgd = algebra.SgdMomentum(0.9f), adam = algebra.AdamW();
        foreach (var mix in new Action[]
        {
            () => a.CopyFrom(b),
            () => algebra.Harmonize(a, b, HarmonizationScope.Tensor, HarmonizationMode.Off, 1),
            () => algebra.Mix(a, 1, b, 1),
            () => sgd.Step(a, b, 0.1f),
            () => sgd.Step(b, b, 0.1f),
            () => adam.Step(a, b, 0.1f),
            () => adam.Step(b, b, 0.1f),
        })
            Assert.StartsWith(
                "the blocks hold different parameters", Assert.Throws<ArgumentException>(mix).Message, StringComparison.Ordinal);
        Assert.Equal(0, adam.Steps + sgd.Steps);
    }

    [Fact]
    public void Disposed_memory_cannot_be_reached()
    {
        TensorBlock block = new(Blocks.Layout(4)), live = new(Blocks.Layout(4));
        block.Dispose();
        block.Dispose();
        Assert.Throws<ObjectDisposedException>(() => block[0].Length);
        Assert.Throws<ObjectDisposedException>(() => block.Part(0, 1).Length);
        Assert.Throws<ObjectDisposedException>(() => block.CopyFrom(live));
        Assert.Throws<ObjectDisposedException>(() => live.CopyFrom(block));
        live.Dispose();
    }

    [Theory]
    [InlineData(0, 17)]
    [InlineData(16, 1)]
    [InlineData(-1, 2)]
    [InlineData(0, -1)]
    public void Parts_lie_inside_the_block(long start, int count)
    {
        using var block = new TensorBlock([new ModelParameter("p", [4])]);
        Assert.ThrowsAny<ArgumentOutOfRangeException>(() => block.Part(start, count).Length);
    }
}
