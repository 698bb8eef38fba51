using RegistryUnlearn.Onnx.Graphs;
using RegistryUnlearn.Training.Buffers;

namespace RegistryUnlearn.Training.Tests.Buffers;

/// <summary>Blocks spelled out as arrays.</summary>
static class Blocks
{
    public static ModelParameter[] Layout(params int[] counts) => [.. counts.Select((n, i) => new ModelParameter($"p{i}", [n]))];

    public static TensorBlock Of(params float[][] tensors)
    {
        var block = new TensorBlock(Layout([.. tensors.Select(t => t.Length)]));
        for (var i = 0; i < tensors.Length; i++)
            tensors[i].CopyTo(block[i]);
        return block;
    }

    /// <summary>All elements without the gaps, tensor after tensor.</summary>
    public static float[] Values(this TensorBlock block) =>
        [.. Enumerable.Range(0, block.TensorCount).SelectMany(i => block[i].ToArray())];

    /// <summary>What lies between the tensors.</summary>
    public static float[] Gaps(this TensorBlock block)
    {
        var all = block.Part(0, (int)block.Length).ToArray();
        var start = 0;
        var gaps = new List<float>();
        for (var i = 0; i < block.TensorCount; i++)
        {
            var next = start + (block[i].Length + 15) / 16 * 16;
            gaps.AddRange(all[(start + block[i].Length)..next]);
            start = next;
        }
        return [.. gaps];
    }

    public static void Near(ReadOnlySpan<float> expected, ReadOnlySpan<float> actual, double tolerance)
    {
        Assert.Equal(expected.Length, actual.Length);
        for (var i = 0; i < expected.Length; i++)
            Assert.True(
                Math.Abs((double)expected[i] - actual[i]) <= tolerance,
                $"element {i} is {actual[i]}, expected {expected[i]} ± {tolerance}");
    }
}
