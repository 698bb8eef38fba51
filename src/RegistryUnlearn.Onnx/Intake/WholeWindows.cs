using RegistryUnlearn.Onnx.Graphs;
using RegistryUnlearn.Onnx.Proto;

namespace RegistryUnlearn.Onnx.Intake;

/// <summary>
/// Pooling that rounds the number of windows up, written as pooling that rounds down, with as much padding at the end as the last window
/// needs. A window that would start in the padding at the end is left out, as PyTorch and ONNX Runtime's kernels do; ONNX Runtime's shape
/// inference counts it, and runs of what depends on its size then fail.
/// </summary>
static class WholeWindows
{
    /// <summary>
    /// The nodes that compute the same; the node itself where it does not round up, or has to, or is none that the operator's definition
    /// allows.
    /// </summary>
    public static IEnumerable<NodeProto> Of(NodeProto node, FreshNames names)
    {
        if (node.Domain is not ("" or "ai.onnx") || node.OpType is not ("MaxPool" or "AveragePool" or "LpPool")
            || node.Int("ceil_mode", 0) == 0 || node.Text("auto_pad", "NOTSET") is not ("NOTSET" or "VALID")
            || node.Ints("kernel_shape") is not { } kernel || node.Input.Count == 0 || node.Output.Count == 0)
            return [node];
        var rank = kernel.Length;
        long[] ones = [.. Enumerable.Repeat(1L, rank)];
        long[] strides = node.Ints("strides") ?? ones, dilations = node.Ints("dilations") ?? ones;
        var pads = node.Ints("pads") ?? new long[2 * rank];
        if (strides.Length != rank || dilations.Length != rank || pads.Length != 2 * rank)
            return [node];
        // ⌈(n - k) / s⌉ + 1 windows are those of n + s - 1 elements rounded down; k - 1 more elements hold no start of a window.
        long[] ends = [.. kernel.Select((k, a) => Math.Min((k - 1) * dilations[a], pads[a + rank] + strides[a] - 1))];
        // ONNX Runtime takes no padding as wide as the kernel.
        if (ends.Where((end, a) => end >= kernel[a]).Any())
            return [node];
        var copy = node.Clone();
        foreach (var attribute in copy.Attribute.Where(a => a.Name is "ceil_mode" or "auto_pad" or "pads").ToList())
            copy.Attribute.Remove(attribute);
        if (node.Int("count_include_pad", 0) == 0 || !ends.Where((end, a) => end > pads[a + rank]).Any())
        {
            copy.Attribute.Add(Attributes.Of("pads", [.. pads[..rank], .. ends]));
            return [copy];
        }
        return Counted(copy, pads, ends, names);
    }

    /// <summary>An average counts the padding that the model names, which becomes a part of the input, but not what is added to it.</summary>
    static NodeProto[] Counted(NodeProto pool, long[] pads, long[] ends, FreshNames names)
    {
        var rank = ends.Length;
        long[] named = [.. ends.Select((end, a) => Math.Min(end, pads[a + rank]))];
        string amounts = names.Next($"{pool.Output[0]}/pads"), padded = names.Next($"{pool.Output[0]}/padded");
        long[] around = [0, 0, .. pads[..rank], 0, 0, .. named];
        NodeProto[] before =
        [
            new()
            {
                OpType = "Constant",
                Name = amounts,
                Output = { amounts },
                Attribute = { Attributes.Of("value", Tensors.Of(around, around.Length)) },
            },
            new() { OpType = "Pad", Name = padded, Input = { pool.Input[0], amounts }, Output = { padded } },
        ];
        pool.Input[0] = padded;
        pool.Attribute.Remove(pool.Find("count_include_pad"));
        pool.Attribute.Add(Attributes.Of("pads", [.. new long[rank], .. ends.Select((end, a) => end - named[a])]));
        return [.. before, pool];
    }
}
