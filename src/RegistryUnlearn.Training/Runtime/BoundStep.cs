using Microsoft.ML.OnnxRuntime;
using RegistryUnlearn.Onnx.Steps;
using RegistryUnlearn.Training.Buffers;

namespace RegistryUnlearn.Training.Runtime;

/// <summary>
/// A session whose inputs and outputs have their memory. Parameters are read from one block and gradients written to another;
/// all other inputs and outputs are tensors of this object, in the host's memory. In the host's memory a run allocates nothing on the
/// managed heap and copies nothing; on a device with its own it copies the inputs and outputs that are in the host's.
/// </summary>
public sealed class BoundStep : IDisposable
{
    readonly OrtIoBinding binding;
    readonly RunOptions options = new();
    readonly InferenceSession session;
    readonly Dictionary<string, NativeTensor> tensors = [];

    /// <summary>
    /// What is bound at every run, on a device with memory of its own: there ONNX Runtime copies an input of the host when it is bound,
    /// and blocks may hold other memory than at the run before.
    /// </summary>
    readonly List<BoundValue> inputs = [], outputs = [];

    /// <param name="size">The size of each free dimension, by its symbol.</param>
    /// <param name="parameters">Bound to the inputs that have its tensors' names.</param>
    /// <param name="gradients">Bound to the outputs <c>gradient/{parameter}</c>; null where the graph has none.</param>
    /// <param name="unread">An output that nobody reads, if the graph has it: it gets no memory, so that no device copies it out.</param>
    public BoundStep(
        GraphSession graph, Func<string, long> size, TensorBlock parameters, TensorBlock? gradients = null, string? unread = null)
        : this(graph, size, gradients is null ? [parameters.As("")] : [parameters.As(""), gradients.As(StepGraph.Gradient)], unread)
    {
    }

    /// <param name="given">Memory for inputs and outputs, by name; the rest is allocated here.</param>
    /// <exception cref="InvalidOperationException">Memory is on another device than the session.</exception>
    public BoundStep(GraphSession graph, Func<string, long> size, IEnumerable<IEnumerable<BoundValue>> given, string? unread = null)
    {
        session = graph.Inference;
        binding = session.CreateIoBinding();
        try
        {
            var named = given.SelectMany(g => g).ToDictionary(g => g.Name);
            foreach (var (name, meta) in session.InputMetadata)
                inputs.Add(Reachable(graph, named.TryGetValue(name, out var known) ? known : Allocate(name, meta, size)));
            foreach (var (name, meta) in session.OutputMetadata.Where(o => o.Key != unread))
                outputs.Add(Reachable(graph, named.TryGetValue(name, out var known) ? known : Allocate(name, meta, size)));
            if (!graph.Device.SharesHostMemory)
                return;
            Bind();
            inputs.Clear();
            outputs.Clear();
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
        if (outputs.Count == 0)
        {
            session.RunWithBinding(options, binding);
            return;
        }
        Bind();
        binding.SynchronizeBoundInputs();
        session.RunWithBinding(options, binding);
        binding.SynchronizeBoundOutputs();
    }

    void Bind()
    {
        foreach (var input in inputs)
            binding.BindInput(input.Name, input.Value());
        foreach (var output in outputs)
            binding.BindOutput(output.Name, output.Value());
    }

    static BoundValue Reachable(GraphSession graph, BoundValue value) => value.Device is null || value.Device == graph.Device
        ? value
        : throw new InvalidOperationException(
            $"'{value.Name}' is in the memory of {value.Device.Name}, but its session runs on {graph.Device.Name}");

    BoundValue Allocate(string name, NodeMetadata meta, Func<string, long> size)
    {
        var shape = new long[meta.Dimensions.Length];
        for (var i = 0; i < shape.Length; i++)
            shape[i] = meta.Dimensions[i] >= 0 ? meta.Dimensions[i]
                : meta.SymbolicDimensions[i].Length > 0 ? size(meta.SymbolicDimensions[i])
                : throw new InvalidOperationException($"dimension {i} of '{name}' has neither a size nor a name");
        var tensor = tensors[name] = new NativeTensor(meta.ElementDataType, shape);
        return new(name, Device: null, () => tensor.Value);
    }

    public void Dispose()
    {
        binding.Dispose();
        options.Dispose();
        foreach (var tensor in tensors.Values)
            tensor.Dispose();
    }
}
