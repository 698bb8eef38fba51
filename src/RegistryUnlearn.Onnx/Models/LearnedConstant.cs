using System.Buffers;
using RegistryUnlearn.Onnx.Proto;

namespace RegistryUnlearn.Onnx.Models;

/// <summary>
/// The rule of thumb that tells a learned tensor from a constant of the formula where the operator alone does not: at Add, Sub, Mul, Div
/// and Concat. Learned is what has more than one element and is none of: constant-valued, a mask, a table of sines and cosines. One
/// constant-valued form counts as learned: an initializer along one dimension that holds a fresh bias (all 0 at Add, Sub) or a fresh
/// scale (all 1 at Mul, Div). Of what the exporter says is the module's own, single numbers and all constant-valued forms count.
/// </summary>
static class LearnedConstant
{
    // Masks write minus infinity as such or as a large negative number: -1e4 is the smallest in use for FLOAT16, -100 between windows.
    const float MaskBelow = -99f;
    const int ChunkElements = 1 << 12;

    /// <summary>Null where the tensor looks learned, else why it does not.</summary>
    /// <param name="ofModule">Whether the tensor is known to be a parameter or buffer of the exported module.</param>
    public static string? WhyNot(TensorData tensor, NodeProto node, bool ofModule)
    {
        if (tensor.Count <= 1) return ofModule && tensor.Count == 1 ? null : "a single number";
        var (constant, first, mask, periodic) = Look(tensor);
        if (constant && (ofModule || IsFresh(tensor, node, first))) return null;
        if (constant) return $"every element is {first}";
        if (mask) return "a mask";
        return periodic ? "a table of sines and cosines" : null;
    }

    /// <summary>Whether all elements equal value.</summary>
    public static bool IsAll(TensorData tensor, float value) =>
        tensor.Count > 0 && Look(tensor) is { Constant: true } look && look.First == value;

    /// <summary>Whether at most one dimension exceeds 1, as for a bias or scale per channel.</summary>
    public static bool IsPerChannel(TensorData tensor) => tensor.Shape.Count(d => d > 1) <= 1;

    static bool IsFresh(TensorData tensor, NodeProto node, float value) =>
        !tensor.IsConstantNode && IsPerChannel(tensor)
            && ((node.OpType is "Add" or "Sub" && value == 0) || (node.OpType is "Mul" or "Div" && value == 1));

    // Reads until every hypothesis is refuted, for learned tensors after a few elements. Periodic: position 0 of a sinusoidal or rotary
    // table holds sin 0 = 0 and cos 0 = 1 only, no element exceeds 1 in size, and some come close to it.
    static (bool Constant, float First, bool Mask, bool Periodic) Look(TensorData tensor)
    {
        bool constant = true, negativeMask = true, binaryMask = true, periodic = true;
        var width = tensor.Shape.Count > 0 ? tensor.Shape[^1] : 1;
        float first = 0, largest = 0;
        var chunk = ArrayPool<float>.Shared.Rent(ChunkElements);
        for (long start = 0; start < tensor.Count && (constant || negativeMask || binaryMask || periodic); start += ChunkElements)
        {
            var values = chunk.AsSpan(0, (int)Math.Min(ChunkElements, tensor.Count - start));
            tensor.ReadFloats(start, values);
            if (start == 0) first = values[0];
            for (var i = 0; i < values.Length; i++)
            {
                var value = values[i];
                constant &= value == first;
                negativeMask &= value is 0 or <= MaskBelow;
                binaryMask &= value is 0 or 1;
                largest = Math.Max(largest, Math.Abs(value));
                periodic &= Math.Abs(value) <= 1 && (start + i >= width || value is 0 or 1);
            }
        }
        ArrayPool<float>.Shared.Return(chunk);
        return (constant, first, negativeMask || binaryMask, periodic && largest > 0.8f && tensor.Count > width && width > 1);
    }
}
