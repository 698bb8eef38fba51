namespace RegistryUnlearn.Onnx.Graphs;

/// <summary>The name of one tensor in a graph: an input, an initializer or the output of a node.</summary>
public readonly record struct Value(string Name)
{
    public override string ToString() => Name;
}
