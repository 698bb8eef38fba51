using System.Collections.Frozen;
using System.Security.Cryptography;
using Google.Protobuf;
using RegistryUnlearn.Onnx.Lowering;
using RegistryUnlearn.Onnx.Models;
using RegistryUnlearn.Onnx.Proto;

namespace RegistryUnlearn.Onnx.Graphs;

/// <summary>
/// A graph under construction: nodes in topological order, constants, inputs and outputs. Besides standard operators it may hold the
/// adjoint operators of <see cref="Adjoint"/>, which <see cref="Build"/> replaces by standard ones.
/// </summary>
public sealed partial class GraphBuilder(int opset)
{
    /// <summary>The oldest operator set whose graphs this class writes.</summary>
    public const int OldestOpset = 17;

    readonly List<NodeProto> nodes = [];
    readonly Dictionary<string, TensorProto> initializers = [];
    readonly Dictionary<string, TensorType> inputs = [];
    readonly Dictionary<string, TensorType?> outputs = [];
    readonly HashSet<string> names = [];
    readonly Dictionary<string, Value> constants = [];
    readonly Dictionary<string, NodeProto> producers = [];
    readonly Dictionary<string, TensorType> known = [];
    readonly SortedDictionary<string, long> domains = new(StringComparer.Ordinal);

    /// <summary>Version of the default operator set.</summary>
    public int Opset { get; } = opset >= OldestOpset
        ? opset
        : throw new ArgumentOutOfRangeException(nameof(opset), opset, $"graphs are written for operator set {OldestOpset} or newer");

    public IReadOnlyList<NodeProto> Nodes => nodes;

    public IReadOnlyDictionary<string, TensorProto> Initializers => initializers;

    public IReadOnlyDictionary<string, TensorType> Inputs => inputs;

    public IReadOnlyCollection<string> Outputs => outputs.Keys;

    /// <summary>Declares the version of an operator set other than the default one.</summary>
    public void Import(string domain, long version) => domains[domain] = version;

    public Value Input(string name, TensorType type)
    {
        inputs.Add(Claim(name), type);
        return new Value(name);
    }

    public Value Initializer(string name, TensorProto tensor)
    {
        initializers.Add(Claim(name), tensor);
        return new Value(name);
    }

    /// <summary>Makes a value an output under a name of its own.</summary>
    /// <param name="type">Declared where ONNX Runtime's own inference may lose the names of free dimensions.</param>
    public void Output(string name, Value value, TensorType? type = null)
    {
        if (value.Name != name)
            Add("Identity", [value], [new Value(Claim(name))]);
        outputs.Add(name, type);
    }

    /// <summary>
    /// Says what type a value has, for ONNX Runtime's own inference loses the names of free dimensions behind many operators, and planning
    /// memory for values of unknown size takes time quadratic in their number. Only names of the inputs' dimensions are passed on.
    /// </summary>
    public void Declare(string name, TensorType type)
    {
        if (type.Shape.All(d => d.IsFixed || inputs.Values.Any(i => i.Shape.Contains(d))))
            known[name] = type;
    }

    public NodeProto? Producer(Value value) => producers.GetValueOrDefault(value.Name);

    /// <summary>Appends a node that exists already, with the names it has; its outputs become known.</summary>
    public void Add(NodeProto node)
    {
        foreach (var output in node.Output.Where(o => o.Length > 0))
            producers.Add(Claim(output), node);
        nodes.Add(node);
    }

    /// <summary>Appends a node with one output and returns it.</summary>
    public Value Add(string op, ReadOnlySpan<Value> ins, params ReadOnlySpan<AttributeProto> attributes)
    {
        var output = new Value(Fresh(op));
        Add(Node(op, ins, [output], attributes));
        return output;
    }

    public void Add(string op, ReadOnlySpan<Value> ins, ReadOnlySpan<Value> outs, params ReadOnlySpan<AttributeProto> attributes)
    {
        var node = Node(op, ins, outs, attributes);
        nodes.Add(node);
        foreach (var output in outs)
        {
            names.Add(output.Name);
            producers.Add(output.Name, node);
        }
    }

    /// <summary>A name that nothing in the graph has yet.</summary>
    public string Fresh(string hint)
    {
        for (var n = names.Count; ; n++)
            if ($"{hint}~{n}" is var name && !names.Contains(name))
                return name;
    }

    /// <summary>The constant integers behind a value, if it is one: an initializer or a Constant node.</summary>
    public long[]? ConstantInts(Value value) =>
        ConstantTensor(value) is { } tensor ? Tensors.Integers(tensor) : Producer(value)?.Ints("value_ints");

    /// <summary>Whether a value is a constant boolean with one element, and false.</summary>
    public bool IsConstantFalse(Value value) => ConstantTensor(value) is { } tensor && Tensors.SingleBool(tensor) == false;

    /// <summary>The single constant float behind a value, if it is one.</summary>
    public float? ConstantFloat(Value value) => ConstantTensor(value) is { } tensor ? Tensors.SingleFloat(tensor) : null;

    /// <summary>The constant floats behind a value, if it is one: an initializer or a Constant node.</summary>
    public float[]? ConstantFloats(Value value) => ConstantTensor(value) is { } tensor ? Tensors.Floats(tensor) : null;

    TensorProto? ConstantTensor(Value value) => initializers.TryGetValue(value.Name, out var tensor)
        ? tensor : Producer(value) is { OpType: "Constant" } node ? node.Find("value")?.T : null;

    /// <summary>A one-dimensional int64 constant; equal constants are stored once.</summary>
    public Value Ints(params ReadOnlySpan<long> values)
    {
        var key = "i" + string.Join(',', values.ToArray());
        if (!constants.TryGetValue(key, out var constant))
            constants[key] = constant = Initializer(Fresh("ints"), Tensors.Of(values, values.Length));
        return constant;
    }

    /// <summary>A float scalar (rank 0); equal constants are stored once.</summary>
    public Value Scalar(float value)
    {
        var key = "f" + BitConverter.SingleToInt32Bits(value);
        if (!constants.TryGetValue(key, out var constant))
            constants[key] = constant = Initializer(Fresh("scalar"), Tensors.Scalar(value));
        return constant;
    }

    /// <summary>A constant tensor; equal ones are stored once, so that ONNX Runtime finds equal nodes.</summary>
    public Value Constant(TensorProto tensor)
    {
        var key = "t" + Convert.ToHexString(SHA256.HashData(tensor.ToByteArray()));
        if (!constants.TryGetValue(key, out var constant))
            constants[key] = constant = Initializer(Fresh("constant"), tensor);
        return constant;
    }

    /// <summary>
    /// The graph as a model of standard operators only: adjoint operators lowered, nodes and constants that no output needs left out.
    /// </summary>
    /// <param name="alsoOutputs">Values to expose besides <see cref="Outputs"/>, for inspection.</param>
    public ModelProto Build(IEnumerable<string>? alsoOutputs = null)
    {
        var wanted = outputs.Keys.Concat(alsoOutputs ?? []).Distinct().ToList();
        var lowered = LoweringTable.Lower(this, Live(nodes, wanted));
        var live = Live(lowered.nodes, wanted);
        var used = live.SelectMany(Reads).Concat(wanted).ToFrozenSet();
        var graph = new GraphProto { Name = "graph" };
        graph.Node.AddRange(live);
        graph.Input.AddRange(inputs.Select(i => i.Value.ToValueInfo(i.Key)));
        graph.Output.AddRange(wanted.Select(o => outputs.GetValueOrDefault(o)?.ToValueInfo(o) ?? new ValueInfoProto { Name = o }));
        graph.ValueInfo.AddRange(
            live.SelectMany(n => n.Output).Where(known.ContainsKey).Except(wanted).Select(o => known[o].ToValueInfo(o)));
        foreach (var (name, tensor) in lowered.initializers.Where(i => used.Contains(i.Key)))
        {
            var named = tensor.Clone();
            named.Name = name;
            graph.Initializer.Add(named);
        }
        // IR version 10 is what every operator set from 17 on may use and what the training engine of ONNX Runtime still reads.
        var model = new ModelProto { IrVersion = 10, ProducerName = "RegistryUnlearn", Graph = graph };
        model.OpsetImport.Add(new OperatorSetIdProto { Domain = "", Version = Opset });
        model.OpsetImport.AddRange(domains.Select(d => new OperatorSetIdProto { Domain = d.Key, Version = d.Value }));
        return model;
    }

    /// <summary>An empty graph of the same operator sets.</summary>
    internal GraphBuilder Empty()
    {
        var empty = new GraphBuilder(Opset);
        foreach (var (domain, version) in domains)
            empty.Import(domain, version);
        return empty;
    }

    /// <summary>An empty graph with the same inputs, constants and names, to be filled with a rewritten list of nodes.</summary>
    internal GraphBuilder CloneWithoutNodes()
    {
        var clone = new GraphBuilder(Opset);
        foreach (var (name, type) in inputs)
            clone.inputs.Add(name, type);
        foreach (var (name, tensor) in initializers)
            clone.initializers.Add(name, tensor);
        foreach (var (key, value) in constants)
            clone.constants.Add(key, value);
        clone.names.UnionWith(names);
        return clone;
    }

    /// <summary>Goes through the nodes in order; some give way to others in the same place, and their outputs keep their names.</summary>
    /// <param name="parts">
    /// Null keeps a node; else appends what replaces it and returns the values of its outputs, as far as offered.
    /// </param>
    /// <exception cref="OnnxModelException">Something reads an output that is not offered.</exception>
    internal void Rewrite(Func<NodeProto, Value?[]?> parts)
    {
        NodeProto[] before = [.. nodes];
        nodes.Clear();
        foreach (var node in before)
        {
            if (parts(node) is not { } values)
            {
                nodes.Add(node);
                continue;
            }
            for (var i = 0; i < node.Output.Count; i++)
                if (node.Output[i].Length == 0)
                    continue;
                else if (i < values.Length && values[i] is { } value)
                    Keep(Node("Identity", [value], [new Value(node.Output[i])], []));
                else if (outputs.ContainsKey(node.Output[i]) || before.Any(n => Reads(n).Contains(node.Output[i])))
                    throw new OnnxModelException(
                        $"output {i} of {node.OpType} (node '{node.Name}') is used; its gradient rule does not offer it, export the model "
                        + "for inference");
        }
    }

    /// <summary>Frees the names of values that nodes no longer make.</summary>
    internal void Forget(IEnumerable<string> values)
    {
        foreach (var name in values)
        {
            names.Remove(name);
            producers.Remove(name);
        }
    }

    /// <summary>Appends a node whose output names are already taken by this graph's names.</summary>
    internal void Keep(NodeProto node)
    {
        nodes.Add(node);
        foreach (var output in node.Output.Where(o => o.Length > 0))
            producers[output] = node;
    }

    static List<NodeProto> Live(List<NodeProto> nodes, IEnumerable<string> wanted)
    {
        var needed = wanted.ToHashSet();
        var live = new List<NodeProto>();
        foreach (var node in Enumerable.Reverse(nodes))
        {
            if (!node.Output.Any(needed.Contains))
                continue;
            live.Add(node);
            needed.UnionWith(Reads(node));
        }
        live.Reverse();
        return live;
    }

    /// <summary>Names of a node's inputs, and of what the bodies of control-flow operators read from outside.</summary>
    internal static IEnumerable<string> Reads(NodeProto node) => node.Input.Concat(node.Attribute.SelectMany(Captured));

    /// <summary>Names that the bodies of control-flow operators read from outside; a superset is fine.</summary>
    static IEnumerable<string> Captured(AttributeProto attribute) =>
        attribute.Graphs.Append(attribute.G).Where(g => g is not null)
            .SelectMany(g => g.Node.SelectMany(n => n.Input.Concat(n.Attribute.SelectMany(Captured))).Concat(g.Output.Select(o => o.Name)));

    string Claim(string name) =>
        names.Add(name) ? name : throw new InvalidOperationException($"the graph has a value named '{name}' already");

    NodeProto Node(string op, ReadOnlySpan<Value> ins, ReadOnlySpan<Value> outs, ReadOnlySpan<AttributeProto> attributes)
    {
        var dot = op.LastIndexOf('.');
        var node = new NodeProto { OpType = op[(dot + 1)..], Name = outs[0].Name };
        if (dot > 0)
            node.Domain = op[..dot];
        foreach (var value in ins)
            node.Input.Add(value.Name ?? "");
        foreach (var value in outs)
            node.Output.Add(value.Name);
        foreach (var attribute in attributes)
            node.Attribute.Add(attribute);
        return node;
    }
}
