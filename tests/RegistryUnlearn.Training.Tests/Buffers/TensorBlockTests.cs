using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using RegistryUnlearn.Onnx.Graphs;
using RegistryUnlearn.Training.Buffers;
using RegistryUnlearn.Training.Harmonization;
using RegistryUnlearn.Training.Optimizers;

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

    [Fact]
    public void Gaps_stay_zero_under_every_operation()
    {
        using var theta = Blocks.Of([1, 2, 3], [4, 5, 6, 7, 8]);
        using TensorBlock remember = Blocks.Of([1, -1, 1], [1, 1, 1, 1, 1]), forget = Blocks.Of([-3, 1, 1], [2, -9, 1, 1, 1]);
        using SgdMomentum sgd = new(theta.Layout, 0.9f, 0.1f);
        using AdamW adam = new(theta.Layout, 0.1f);
        foreach (var scope in Enum.GetValues<HarmonizationScope>())
            Harmonizer.Combine(remember, forget, scope, HarmonizationMode.Symmetric, 0.5f);
        sgd.Step(theta, remember, 0.1f);
        adam.Step(theta, remember, 0.1f);
        using var copy = theta.Clone();
        foreach (var block in new[] { theta, remember, copy }.Concat(sgd.State).Concat(adam.State))
            Assert.All(block.Gaps(), gap => Assert.Equal(0, gap));
    }

    [Fact]
    public void A_clone_is_equal_and_separate()
    {
        using var block = Blocks.Of([1, 2], [3]);
        using var clone = block.Clone();
        block[0][0] = 9;
        Assert.Equal([1, 2, 3], clone.Values());
        Assert.Equal([9, 2, 3], block.Values());
    }

    public static TheoryData<int[], int[]> Mismatches { get; } = new()
    {
        { [3], [4, 1] },
        { [3], [30] },
        { [3, 20], [20, 3] },
        { [3], [4] },
    };

    [Theory, MemberData(nameof(Mismatches))]
    public void Blocks_of_different_parameters_do_not_mix(int[] one, int[] other)
    {
        using TensorBlock a = new(Blocks.Layout(one)), b = new(Blocks.Layout(other));
        using SgdMomentum sgd = new(a.Layout, 0.9f);
        using AdamW adam = new(a.Layout);
        foreach (var mix in new Action[]
        {
            () => a.CopyFrom(b),
            () => Harmonizer.Combine(a, b, HarmonizationScope.Tensor, HarmonizationMode.Off, 1),
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
