using System.Collections.Frozen;
using RegistryUnlearn.Onnx.Gradients.Rules;
using RegistryUnlearn.Onnx.Graphs;
using RegistryUnlearn.Onnx.Proto;

namespace RegistryUnlearn.Onnx.Gradients;

/// <summary>All gradient rules, keyed by (domain, operator, since-version).</summary>
public static class RuleTable
{
    /// <summary>Every rule in the order of its family.</summary>
    public static IReadOnlyList<Rule> All { get; } =
    [
        .. Elementwise.Rules, .. Activations.Rules, .. Trigonometry.Rules, .. Shaping.Rules, .. Rearranging.Rules, .. Resampling.Rules,
        .. Indexing.Rules, .. Reductions.Rules, .. Norms.Rules, .. LossNodes.Rules,
        .. MatrixProducts.Rules, .. EinsteinSums.Rules, .. Convolutions.Rules, .. Pooling.Rules,
        .. Normalizations.Rules, .. SampleNormalizations.Rules, .. Recurrent.Rules, .. AttentionLayers.Rules, .. RotaryPositions.Rules,
        .. MicrosoftFusions.Rules, .. WithoutGradient.Rules,
    ];

    static readonly FrozenDictionary<(string Domain, string Op), Rule[]> ByOperator = All
        .GroupBy(r => (r.Domain, r.Op)).ToFrozenDictionary(g => g.Key, g => g.OrderByDescending(r => r.Since).ToArray());

    /// <summary>The newest rule that is not newer than the graph's operator set; null if there is none.</summary>
    public static Rule? Find(NodeProto node, GraphBuilder graph) =>
        ByOperator.TryGetValue((node.Domain is "ai.onnx" ? "" : node.Domain, node.OpType), out var rules)
            ? rules.FirstOrDefault(r => r.Domain.Length > 0 || r.Since <= graph.Opset) : null;
}
