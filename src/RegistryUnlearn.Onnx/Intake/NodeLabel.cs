using RegistryUnlearn.Onnx.Proto;

namespace RegistryUnlearn.Onnx.Intake;

/// <summary>How messages name a node.</summary>
static class NodeLabel
{
    /// <summary>As in "node 'conv1' (Conv)"; by its first output where the node has no name, with a domain that is not standard.</summary>
    public static string Of(NodeProto node) => $"node '{NameOf(node)}' ({Operator(node)})";

    public static string NameOf(NodeProto node) => node.Name.Length > 0 ? node.Name : node.Output.FirstOrDefault(o => o.Length > 0) ?? "";

    public static string Operator(NodeProto node) => node.Domain is "" or "ai.onnx" ? node.OpType : $"{node.Domain}.{node.OpType}";
}
