using RegistryUnlearn.Onnx.Proto;
using RegistryUnlearn.Training.Buffers;
using RegistryUnlearn.Training.Runtime;

namespace RegistryUnlearn.Training.Algebra;

/// <summary>How a graph takes a block: as <c>{name}/{tensor}</c>, or as long vectors <c>{name}/0</c>, <c>{name}/1</c>, ….</summary>
enum BlockForm
{
    Tensors,

    /// <summary>Few nodes whatever the number of tensors, where their bounds do not matter.</summary>
    Parts,
}

/// <summary>A graph of a device on whole blocks, which are given at every run; its other inputs and outputs are scalars.</summary>
sealed class BlockGraph : IDisposable
{
    readonly TensorBlock like;
    readonly GraphSession session;
    readonly BoundStep step;
    readonly Dictionary<string, TensorBlock> given = [];

    /// <param name="like">Any block of the layout and device.</param>
    /// <param name="names">Of the blocks that the graph reads and writes, each ending with a slash.</param>
    public BlockGraph(ModelProto graph, TensorBlock like, BlockForm form, params IReadOnlyList<string> names)
    {
        this.like = like;
        session = new GraphSession(graph, like.Device);
        step = new BoundStep(
            session, _ => throw new InvalidOperationException("every size is fixed"), names.Select(name => form is BlockForm.Tensors
                ? like.Layout.Select((p, i) => new BoundValue(name + p.Name, like.Device, () => given[name].Value(i)))
                : like.PartLayout.Select((p, i) => new BoundValue(name + p.Name, like.Device, () => given[name].PartValue(i)))));
    }

    /// <summary>The block behind a name at the next run.</summary>
    public TensorBlock this[string name]
    {
        set
        {
            like.RequireSameLayout(value);
            if (value.Device != like.Device)
                throw new ArgumentException($"the block is not in the memory of {like.Device?.Name}", nameof(value));
            given[name] = value;
        }
    }

    public void Set(string scalar, float value) => step[scalar].Floats[0] = value;

    public float Scalar(string name) => step.Scalar(name);

    public void Run() => step.Run();

    public void Dispose()
    {
        step.Dispose();
        session.Dispose();
    }
}
