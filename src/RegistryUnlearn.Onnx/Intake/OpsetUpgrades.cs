using System.Collections.Frozen;
using RegistryUnlearn.Onnx.Models;
using RegistryUnlearn.Onnx.Proto;

namespace RegistryUnlearn.Onnx.Intake;

/// <summary>What changed in an operator between two operator sets.</summary>
/// <param name="Since">The first operator set with the new form.</param>
/// <param name="Apply">Brings a node from the form before to the one of that version.</param>
sealed record OpsetUpgrade(string Op, int Since, Action<NodeRewrite> Apply);

/// <summary>
/// The operators whose nodes have to change for a newer operator set to mean the same; all others keep form and meaning from version 9
/// on (ONNX changelog, docs/Changelog.md).
/// </summary>
static class OpsetUpgrades
{
    /// <summary>The oldest operator set that is read.</summary>
    public const int Oldest = 9;

    public static IReadOnlyList<OpsetUpgrade> All { get; } =
    [
        new("Slice", 10, UpgradedForms.Slice),
        new("TopK", 10, r => r.SetInput(1, r.Constant(r.Take("k")?.I ?? throw r.Bad("attribute k is missing", "Export the model again")))),
        new("Upsample", 10, UpgradedForms.Upsample),
        new("Clip", 11, UpgradedForms.Clip),
        new("Pad", 11, UpgradedForms.Pad),
        new("Resize", 11, UpgradedForms.Resize),
        new("Scatter", 11, r => r.Node.OpType = "ScatterElements"),
        new("Squeeze", 13, r => UpgradedForms.AttributeToInput(r, "axes", 1)),
        new("Unsqueeze", 13, r => UpgradedForms.AttributeToInput(r, "axes", 1)),
        new("ReduceSum", 13, r => UpgradedForms.AttributeToInput(r, "axes", 1)),
        new("Split", 13, r => UpgradedForms.AttributeToInput(r, "split", 1)),
        new("Softmax", 13, UpgradedForms.OverFlattened),
        new("LogSoftmax", 13, UpgradedForms.OverFlattened),
        new("Hardmax", 13, UpgradedForms.OverFlattened),
        new("BatchNormalization", 14, UpgradedForms.BatchNormalization),
        new("RoiAlign", 16, r => r.Set(Graphs.Attributes.Of("coordinate_transformation_mode", "output_half_pixel"))),
        .. new[]
        {
            "ReduceMax", "ReduceMin", "ReduceMean", "ReduceProd", "ReduceL1", "ReduceL2", "ReduceLogSum", "ReduceLogSumExp",
            "ReduceSumSquare",
        }.Select(op => new OpsetUpgrade(op, 18, r => UpgradedForms.AttributeToInput(r, "axes", 1))),
        new("Split", 18, UpgradedForms.SplitEvenly),
        new("GroupNormalization", 21, UpgradedForms.GroupNormalization),
    ];

    static readonly FrozenDictionary<string, OpsetUpgrade[]> ByOperator =
        All.GroupBy(u => u.Op).ToFrozenDictionary(g => g.Key, g => g.OrderBy(u => u.Since).ToArray());

    /// <summary>Brings the nodes of a list from one operator set to a newer one, those of their bodies included.</summary>
    /// <param name="values">What is known of the values that the nodes read.</param>
    /// <exception cref="OnnxModelException">A node has no equal in the newer operator set.</exception>
    public static List<NodeProto> Apply(IEnumerable<NodeProto> nodes, long from, long to, KnownValues values, FreshNames names)
    {
        var result = new List<NodeProto>();
        foreach (var node in nodes)
        {
            foreach (var body in LiveNodes.Bodies(node))
            {
                var upgraded = Apply(body.Node, from, to, new KnownValues(body, values), names);
                body.Node.Clear();
                body.Node.AddRange(upgraded);
            }
            result.AddRange(Upgraded(node, from, to, values, names));
        }
        return result;
    }

    static IEnumerable<NodeProto> Upgraded(NodeProto node, long from, long to, KnownValues values, FreshNames names)
    {
        var standard = node.Domain is "" or "ai.onnx";
        if (!standard || node.Output.Count == 0 || !ByOperator.TryGetValue(node.OpType, out var upgrades)) return [node];
        var rewrite = new NodeRewrite(node, values, names);
        foreach (var upgrade in upgrades.Where(u => from < u.Since && u.Since <= to))
        {
            if (node.Input.Count == 0) throw rewrite.Bad("has no input", "Export the model again");
            upgrade.Apply(rewrite);
        }
        return rewrite.Result;
    }
}
