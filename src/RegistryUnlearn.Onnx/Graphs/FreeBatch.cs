using RegistryUnlearn.Onnx.Proto;
using static RegistryUnlearn.Onnx.Proto.TensorProto.Types;

namespace RegistryUnlearn.Onnx.Graphs;

/// <summary>
/// Frees the batch dimension of a model that was exported for one batch size: in a copy, the batch size is taken out of the shapes that
/// exporters freeze. Whether the copy computes the same for every sample can only be told by running it.
/// </summary>
public static class FreeBatch
{
    const string Size = "free-batch/size";

    /// <param name="input">The input that takes the samples.</param>
    /// <param name="batch">The batch size that the model insists on.</param>
    public static ModelProto Of(ModelProto model, string input, long batch)
    {
        var copy = model.Clone();
        var graph = copy.Graph;
        graph.Input.First(i => i.Name == input).Type.TensorType.Shape.Dim[0] = new() { DimParam = "batch" };
        graph.ValueInfo.Clear();
        var constants = graph.Initializer.ToDictionary(t => t.Name);
        foreach (var node in graph.Node.Where(n => n.OpType == "Constant" && n.Find("value")?.T is not null))
            constants[node.Output[0]] = node.Find("value")!.T;

        var names = constants.Keys.Concat(graph.Node.SelectMany(n => n.Output)).Append(input).ToHashSet(StringComparer.Ordinal);
        var perSample = new HashSet<string>(StringComparer.Ordinal) { input };
        var nodes = new List<NodeProto>();
        var size = Name(Size);
        foreach (var node in graph.Node)
        {
            if (node.OpType is "Expand" && Shape(node, 1) is [var first, ..] expanded && first == batch)
            {
                node.Input[1] = Batched(expanded);
                perSample.Add(node.Output[0]);
            }
            else if (node.Input.Any(perSample.Contains))
            {
                perSample.UnionWith(node.Output);
                if (node.OpType is "Reshape" && Shape(node, 1) is [var leading, ..] target && leading == batch)
                    node.Input[1] = Constant([target.AsSpan(1).Contains(-1) ? 0 : -1, .. target.AsSpan(1)]);
                else if (node.OpType is "Concat" && node.Int("axis", 0) != 0)
                    for (var i = 0; i < node.Input.Count; i++)
                        if (!perSample.Contains(node.Input[i]) && constants.TryGetValue(node.Input[i], out var shared)
                            && shared.Dims.Count > 1 && shared.Dims[0] == batch && batch == 1)
                            node.Input[i] = Repeated(node.Input[i], [.. shared.Dims]);
            }
            nodes.Add(node);
        }
        graph.Node.Clear();
        if (names.Contains(size))
        {
            var shape = Name("free-batch/shape");
            nodes.InsertRange(0,
            [
                new NodeProto { Name = shape, OpType = "Shape", Input = { input }, Output = { shape } },
                new NodeProto { Name = size, OpType = "Gather", Input = { shape, Constant([0]) }, Output = { size } },
            ]);
        }
        graph.Node.AddRange(nodes);
        return copy;

        long[]? Shape(NodeProto node, int index) => node.Input.Count > index && constants.TryGetValue(node.Input[index], out var tensor)
            && tensor.DataType == (int)DataType.Int64 && tensor.DataLocation is not DataLocation.External ? Tensors.Integers(tensor) : null;

        string Constant(ReadOnlySpan<long> values)
        {
            var tensor = Tensors.Of(values, values.Length);
            tensor.Name = Name("free-batch/ints");
            names.Add(tensor.Name);
            graph.Initializer.Add(tensor);
            return tensor.Name;
        }

        // The batch size of the run, then the sizes behind the first.
        string Batched(ReadOnlySpan<long> sizes)
        {
            var shape = Name("free-batch/sizes");
            names.UnionWith([shape, size]);
            nodes.Add(new NodeProto
            {
                Name = shape,
                OpType = "Concat",
                Input = { size, Constant(sizes[1..]) },
                Output = { shape },
                Attribute = { Attributes.Of("axis", 0L) },
            });
            return shape;
        }

        string Repeated(string value, long[] sizes)
        {
            var shape = Batched(sizes);
            var repeated = Name("free-batch/repeated");
            names.Add(repeated);
            nodes.Add(new NodeProto { Name = repeated, OpType = "Expand", Input = { value, shape }, Output = { repeated } });
            return repeated;
        }

        string Name(string hint)
        {
            var name = hint;
            for (var n = 1; names.Contains(name); n++)
                name = $"{hint}-{n}";
            return name;
        }
    }
}
