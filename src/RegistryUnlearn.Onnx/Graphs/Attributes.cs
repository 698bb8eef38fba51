using Google.Protobuf;
using RegistryUnlearn.Onnx.Proto;

namespace RegistryUnlearn.Onnx.Graphs;

/// <summary>Reading and writing node attributes by name.</summary>
public static class Attributes
{
    public static AttributeProto? Find(this NodeProto node, string name) => node.Attribute.FirstOrDefault(a => a.Name == name);

    public static long Int(this NodeProto node, string name, long otherwise) => node.Find(name)?.I ?? otherwise;

    public static float Float(this NodeProto node, string name, float otherwise) => node.Find(name)?.F ?? otherwise;

    public static string Text(this NodeProto node, string name, string otherwise) => node.Find(name)?.S.ToStringUtf8() ?? otherwise;

    public static long[]? Ints(this NodeProto node, string name) => node.Find(name) is { } a ? [.. a.Ints] : null;

    public static AttributeProto Of(string name, long value) =>
        new() { Name = name, I = value, Type = AttributeProto.Types.AttributeType.Int };

    public static AttributeProto Of(string name, float value) =>
        new() { Name = name, F = value, Type = AttributeProto.Types.AttributeType.Float };

    public static AttributeProto Of(string name, string value) =>
        new() { Name = name, S = ByteString.CopyFromUtf8(value), Type = AttributeProto.Types.AttributeType.String };

    public static AttributeProto Of(string name, IEnumerable<long> values)
    {
        var attribute = new AttributeProto { Name = name, Type = AttributeProto.Types.AttributeType.Ints };
        attribute.Ints.AddRange(values);
        return attribute;
    }

    public static AttributeProto Of(string name, TensorProto value) =>
        new() { Name = name, T = value, Type = AttributeProto.Types.AttributeType.Tensor };
}
