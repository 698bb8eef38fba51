using System.Collections.Frozen;
using RegistryUnlearn.Onnx.Proto;

namespace RegistryUnlearn.Onnx.Models;

/// <summary>What the inputs of standard operators mean for training.</summary>
static class ParameterSlots
{
    static readonly FrozenDictionary<string, int[]> Direct = new Dictionary<string, int[]>
    {
        ["Conv"] = [1, 2],
        ["ConvTranspose"] = [1, 2],
        ["Gemm"] = [0, 1, 2],
        ["MatMul"] = [0, 1],
        ["Einsum"] = [0, 1, 2, 3],
        ["Gather"] = [0],
        ["BatchNormalization"] = [1, 2],
        ["LayerNormalization"] = [1, 2],
        ["InstanceNormalization"] = [1, 2],
        ["GroupNormalization"] = [1, 2],
        ["RMSNormalization"] = [1],
        ["PRelu"] = [1],
        ["LSTM"] = [1, 2, 3, 7],
        ["GRU"] = [1, 2, 3],
        ["RNN"] = [1, 2, 3],
    }.ToFrozenDictionary();

    // Data is input 0, except for Concat, where all inputs are.
    static readonly FrozenSet<string> Rearranging = new[]
    {
        "Identity", "Transpose", "Reshape", "Flatten", "Squeeze", "Unsqueeze", "Slice", "Split", "Expand", "Tile", "Pad", "Gather",
        "Cast", "Concat",
    }.ToFrozenSet();

    // Square roots are left out on purpose: sqrt(variance + epsilon) of a normalisation written out must not lead to a running variance.
    static readonly FrozenSet<string> Composing = new[]
    {
        "Add", "Sub", "Mul", "Div", "Neg", "Abs", "Exp", "Log", "Pow", "Relu", "Sigmoid", "Softplus", "Tanh", "Softmax", "Clip",
        "MatMul", "Gemm", "Einsum", "LayerNormalization", "RMSNormalization",
    }.ToFrozenSet();

    static readonly FrozenSet<string> Preparing = new[] { "Add", "Sub", "Mul", "Div", "Clip", "Resize", "Upsample" }.ToFrozenSet();

    /// <summary>Whether input slot of the node holds a parameter whatever its values.</summary>
    public static bool IsDirect(NodeProto node, int slot) =>
        IsStandard(node) && Direct.TryGetValue(node.OpType, out var slots) && slots.Contains(slot);

    /// <summary>Whether the node is a layer: an operator with parameter slots.</summary>
    public static bool IsLayer(NodeProto node) => IsStandard(node) && Direct.ContainsKey(node.OpType);

    public static bool IsNormalization(NodeProto node) => node.OpType.EndsWith("Normalization", StringComparison.Ordinal);

    /// <summary>Whether the slot holds running statistics, which are never trained.</summary>
    public static bool IsRunningStatistic(NodeProto node, int slot) =>
        IsStandard(node) && node.OpType == "BatchNormalization" && slot is 3 or 4;

    /// <summary>Whether a constant at the slot is a parameter if its values look learned and another input is an activation.</summary>
    public static bool IsElementwise(NodeProto node, int slot) => IsStandard(node)
        && (node.OpType is "Add" or "Sub" or "Mul" or "Div" or "Concat" || IsInitialState(node, slot));

    static bool IsInitialState(NodeProto node, int slot) => slot switch
    {
        5 => node.OpType is "LSTM" or "GRU" or "RNN",
        6 => node.OpType is "LSTM",
        _ => false,
    };

    /// <summary>Whether the node only moves, copies or casts the elements of the input.</summary>
    public static bool Rearranges(NodeProto node, int slot) =>
        IsStandard(node) && Rearranging.Contains(node.OpType) && (slot == 0 || node.OpType == "Concat");

    /// <summary>Whether the node computes a parameter out of stored tensors, as weight normalisation or a low-rank product does.</summary>
    public static bool Composes(NodeProto node, int slot) =>
        IsStandard(node) && Composing.Contains(node.OpType) && (slot == 0 || node.OpType is not "Clip");

    /// <summary>Whether the node may prepare raw samples: it does no more than scale, shift, cut and rearrange them.</summary>
    public static bool Prepares(NodeProto node) => IsStandard(node) && (Preparing.Contains(node.OpType) || Rearranges(node, 0));

    /// <summary>Whether the node yields sizes rather than values.</summary>
    public static bool IsShape(NodeProto node) => IsStandard(node) && node.OpType is "Shape" or "Size";

    static bool IsStandard(NodeProto node) => node.Domain is "" or "ai.onnx";
}
