using RegistryUnlearn.Onnx.Graphs;
using RegistryUnlearn.Training.Buffers;
using RegistryUnlearn.Training.Devices;

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

    /// <summary>The same on a device.</summary>
    public static TensorBlock On(ExecutionDevice device, params float[][] tensors)
    {
        using var values = Of(tensors);
        var block = new TensorBlock(values.Layout, device);
        block.CopyFrom(values);
        return block;
    }

    /// <summary>All elements without the gaps, tensor after tensor, wherever they are.</summary>
    public static float[] Values(this TensorBlock block)
    {
        using var host = block.ToHost();
        return [.. Enumerable.Range(0, host.TensorCount).SelectMany(i => host[i].ToArray())];
    }

    /// <summary>What lies between the tensors.</summary>
    public static float[] Gaps(this TensorBlock block)
    {
        using var host = block.ToHost();
        var all = host.Part(0, (int)host.Length).ToArray();
        var start = 0;
        var gaps = new List<float>();
        for (var i = 0; i < block.TensorCount; i++)
        {
            var next = start + (host[i].Length + 15) / 16 * 16;
            gaps.AddRange(all[(start + host[i].Length)..next]);
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
