using Microsoft.ML.OnnxRuntime;
using RegistryUnlearn.Onnx.Steps;
using RegistryUnlearn.Training.Buffers;

namespace RegistryUnlearn.Training.Runtime;

/// <summary>
/// A session with every input and output bound to memory once. Parameters are read from one block and gradients written to another;
/// all other inputs and outputs are tensors of this object. A run allocates nothing on the managed heap and, on a device that shares the
/// host's memory, copies nothing.
/// </summary>
public sealed class BoundStep : IDisposable
{
    readonly OrtIoBinding binding;
    readonly RunOptions options = new();
    readonly InferenceSession session;
    readonly Dictionary<string, NativeTensor> tensors = [];

    /// <summary>ONNX Runtime copies an input to the device when it is bound: inputs for another memory are bound at every run.</summary>
    readonly List<(string Name, OrtValue Value)> copied = [];

    /// <param name="size">The size of each free dimension, by its symbol.</param>
    /// <param name="parameters">Bound to the inputs that have its tensors' names.</param>
    /// <param name="gradients">Bound to the outputs <c>gradient/{parameter}</c>; null where the graph has none.</param>
    public BoundStep(GraphSession graph, Func<string, long> size, TensorBlock parameters, TensorBlock? gradients = null)
        : this(graph, size, gradients is null ? [parameters.As("")] : [parameters.As(""), gradients.As(StepGraph.Gradient)])
    {
    }

    /// <param name="given">Memory for inputs and outputs, by name; the rest is allocated here.</param>
    public BoundStep(GraphSession graph, Func<string, long> size, IEnumerable<IEnumerable<(string Name, OrtValue Value)>> given)
    {
        session = graph.Inference;
        binding = session.CreateIoBinding();
        try
        {
            var named = given.SelectMany(g => g).ToDictionary(g => g.Name, g => g.Value);
            foreach (var (name, meta) in session.InputMetadata)
            {
                var value = named.TryGetValue(name, out var known) ? known : Allocate(name, meta, size);
                if (graph.Device.SharesHostMemory) binding.BindInput(name, value);
                else copied.Add((name, value));
            }
            foreach (var (name, meta) in session.OutputMetadata)
                binding.BindOutput(name, named.TryGetValue(name, out var value) ? value : Allocate(name, meta, size));
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>An input or output that is not a parameter or gradient.</summary>
    public NativeTensor this[string name] => tensors[name];

    public bool Has(string name) => tensors.ContainsKey(name);

    /// <summary>The value of a scalar output.</summary>
    public float Scalar(string name) => tensors[name].Floats[0];

    public void Run()
    {
        if (copied.Count == 0)
        {
            session.RunWithBinding(options, binding);
            return;
        }
        foreach (var (name, value) in copied)
            binding.BindInput(name, value);
        binding.SynchronizeBoundInputs();
        session.RunWithBinding(options, binding);
        binding.SynchronizeBoundOutputs();
    }

    OrtValue Allocate(string name, NodeMetadata meta, Func<string, long> size)
    {
        var shape = new long[meta.Dimensions.Length];
        for (var i = 0; i < shape.Length; i++)
            shape[i] = meta.Dimensions[i] >= 0 ? meta.Dimensions[i]
                : meta.SymbolicDimensions[i].Length > 0 ? size(meta.SymbolicDimensions[i])
                : throw new InvalidOperationException($"dimension {i} of '{name}' has neither a size nor a name");
        return (tensors[name] = new NativeTensor(meta.ElementDataType, shape)).Value;
    }

    public void Dispose()
    {
        binding.Dispose();
        options.Dispose();
        foreach (var tensor in tensors.Values)
            tensor.Dispose();
    }
}
