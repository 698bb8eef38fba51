using RegistryUnlearn.Onnx.Proto;
using static RegistryUnlearn.Onnx.Proto.TensorProto.Types;

namespace RegistryUnlearn.Onnx.Models;

/// <summary>Every tensor a model stores, wherever it is nested, each checked once.</summary>
sealed class ModelInventory
{
    readonly string path;
    readonly ExternalFiles externalFiles;
    readonly List<TensorData> tensors = [];
    readonly List<TensorData> external = [];

    /// <exception cref="OnnxModelException">The first thing that does not hold.</exception>
    public ModelInventory(string path, ModelProto model)
    {
        this.path = path;
        externalFiles = new ExternalFiles(path);
        RequireHeader(model);
        CheckGraph(model.Graph, "");
        foreach (var function in model.Functions) CheckNodes(function.Node, $"function '{function.Name}': ");
        foreach (var training in model.TrainingInfo)
        {
            if (training.Initialization is not null) CheckGraph(training.Initialization, "training_info.initialization: ");
            if (training.Algorithm is not null) CheckGraph(training.Algorithm, "training_info.algorithm: ");
        }
        foreach (var tensor in tensors)
            if (!ByName.TryAdd(tensor.Name, tensor))
                throw Bad(tensor.Element, "an initializer has the same name", "Names must be unique; export the model again");
    }

    /// <summary>Initializers of the main graph in order, then its Constant nodes' values.</summary>
    public IReadOnlyList<TensorData> Tensors => tensors;

    public Dictionary<string, TensorData> ByName { get; } = new(StringComparer.Ordinal);

    /// <summary>Every tensor with external data, nested graphs and attributes included.</summary>
    public IReadOnlyList<TensorData> External => external;

    public IEnumerable<ExternalFile> Files => external.Select(t => t.Region!.File).DistinctBy(f => f.RelativePath);

    void RequireHeader(ModelProto model)
    {
        const string remedy = "This is not an ONNX model or it is damaged; fetch or export it again";
        if (!model.HasIrVersion || model.IrVersion < 1) throw Bad("ir_version", "is missing", remedy);
        if (model.Graph is null) throw Bad("graph", "is missing", remedy);
        if (model.OpsetImport.Count == 0) throw Bad("opset_import", "is missing", remedy);
        foreach (var domain in model.OpsetImport.GroupBy(o => o.Domain is "ai.onnx" ? "" : o.Domain))
        {
            if (domain.Count() > 1) throw Bad("opset_import", $"names domain '{domain.Key}' twice", "Keep one version per domain");
            if (domain.First().Version < 1)
                throw Bad("opset_import", $"gives domain '{domain.Key}' version {domain.First().Version}", remedy);
        }
    }

    void CheckGraph(GraphProto graph, string where)
    {
        var names = new HashSet<string>(StringComparer.Ordinal);
        for (var i = 0; i < graph.Initializer.Count; i++)
        {
            var tensor = graph.Initializer[i];
            if (tensor.Name.Length == 0) throw Bad($"{where}initializer {i}", "has no name", "Export the model again");
            var element = $"{where}initializer '{tensor.Name}'";
            if (!names.Add(tensor.Name)) throw Bad(element, "appears twice", "Names must be unique; export the model again");
            var data = CheckTensor(tensor, tensor.Name, element);
            if (where.Length == 0) tensors.Add(data);
        }
        foreach (var sparse in graph.SparseInitializer)
        {
            var element = $"{where}sparse initializer '{sparse.Values?.Name}'";
            if (sparse.Values is { } values && !names.Add(values.Name))
                throw Bad(element, "appears twice", "Names must be unique; export the model again");
            CheckSparse(sparse, element);
        }
        CheckNodes(graph.Node, where);
    }

    void CheckNodes(IReadOnlyList<NodeProto> nodes, string where)
    {
        for (var i = 0; i < nodes.Count; i++)
        {
            var node = nodes[i];
            if (node.OpType.Length == 0) throw Bad($"{where}{LabelOf(node, i)}", "has no op_type", "Export the model again");
            foreach (var attribute in node.Attribute)
            {
                var element = $"{where}{LabelOf(node, i)} attribute '{attribute.Name}'";
                var isConstant = where.Length == 0 && node is { OpType: "Constant", Domain: "" or "ai.onnx", Output.Count: 1 };
                if (isConstant && ConstantOf(node.Output[0], attribute, element) is { } constant) tensors.Add(constant);
                else if (attribute.T is not null) CheckTensor(attribute.T, attribute.T.Name, element);
                foreach (var tensor in attribute.Tensors) CheckTensor(tensor, tensor.Name, element);
                if (attribute.SparseTensor is not null) CheckSparse(attribute.SparseTensor, element);
                foreach (var sparse in attribute.SparseTensors) CheckSparse(sparse, element);
                if (attribute.G is not null) CheckGraph(attribute.G, $"{element}: ");
                foreach (var graph in attribute.Graphs) CheckGraph(graph, $"{element}: ");
            }
        }
    }

    TensorData? ConstantOf(string output, AttributeProto attribute, string element) => attribute.Name switch
    {
        "value" when attribute.T is not null => CheckTensor(attribute.T, output, element, isConstantNode: true),
        "value_float" => new TensorData(path, output, element, attribute, single: true) { IsConstantNode = true },
        "value_floats" => new TensorData(path, output, element, attribute, single: false) { IsConstantNode = true },
        _ => null,
    };

    void CheckSparse(SparseTensorProto sparse, string element)
    {
        if (sparse.Values is not null) CheckTensor(sparse.Values, sparse.Values.Name, $"{element} values");
        if (sparse.Indices is not null) CheckTensor(sparse.Indices, sparse.Indices.Name, $"{element} indices");
    }

    TensorData CheckTensor(TensorProto tensor, string name, string element, bool isConstantNode = false)
    {
        var layout = TensorLayout.Of(tensor, path, element);
        var typed = TypedField.EntriesInAll(tensor);
        var isExternal = tensor.DataLocation == DataLocation.External;
        if ((isExternal ? 1 : 0) + (tensor.RawData.Length > 0 ? 1 : 0) + (typed > 0 ? 1 : 0) > 1)
            throw Bad(element, "stores its data in more than one place", "Export the model again");
        if (layout.Type == DataType.String && (isExternal || tensor.RawData.Length > 0))
            throw Bad(element, "stores strings outside string_data", "Export the model again");

        ExternalRegion? region = null;
        var storage = TensorStorage.TypedField;
        if (isExternal)
        {
            storage = TensorStorage.External;
            region = externalFiles.Resolve(tensor, layout.ByteLength, element);
        }
        else if (tensor.HasRawData && typed == 0 && layout.Type != DataType.String)
        {
            storage = TensorStorage.RawData;
            if (tensor.RawData.Length != layout.ByteLength)
                throw WrongLength("raw_data", tensor.RawData.Length, layout.ByteLength, "bytes");
        }
        else
        {
            var (field, entries, needed) = TypedField.Of(tensor, layout.Type, layout.Count);
            if (entries != needed) throw WrongLength(field, entries, needed, "entries");
            if (typed != entries) throw Bad(element, $"stores data outside {field}, where its type belongs", "Export the model again");
        }

        var data = new TensorData(path, name, element, tensor, layout, storage, region) { IsConstantNode = isConstantNode };
        if (isExternal) external.Add(data);
        return data;

        OnnxModelException WrongLength(string field, long has, long needs, string unit) => Bad(element,
            $"{field} has {has} {unit} but dims [{string.Join(", ", layout.Shape)}] of {ElementTypes.NameOf(layout.Type)} need {needs}",
            "The file is damaged; fetch or export it again");
    }

    static string LabelOf(NodeProto node, int index) =>
        node.Name.Length > 0 ? $"node '{node.Name}' ({node.OpType})" : $"node {index} ({node.OpType})";

    OnnxModelException Bad(string element, string problem, string remedy) => new(path, element, problem, remedy);
}
