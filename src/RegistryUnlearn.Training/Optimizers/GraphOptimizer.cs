using RegistryUnlearn.Onnx.Proto;
using RegistryUnlearn.Training.Algebra;
using RegistryUnlearn.Training.Buffers;

namespace RegistryUnlearn.Training.Optimizers;

/// <summary>An update of <see cref="UpdateGraph"/> on blocks of a device; parameters and state swap with the blocks it wrote.</summary>
sealed class GraphOptimizer : IOptimizer
{
    readonly BlockGraph graph;
    readonly TensorBlock spare;
    readonly TensorBlock[] state, next;
    readonly Action<BlockGraph, float, long> setScalars;

    /// <param name="update">A graph on parts.</param>
    /// <param name="states">Tensor blocks of its state.</param>
    /// <param name="spare">Receives the parameters; of no meaning between steps.</param>
    /// <param name="setScalars">Sets the scalars of a step by its learning rate and number, from 1.</param>
    public GraphOptimizer(ModelProto update, int states, TensorBlock spare, Action<BlockGraph, float, long> setScalars)
    {
        (this.spare, this.setScalars) = (spare, setScalars);
        string[] changed = [UpdateGraph.Parameters, .. Enumerable.Range(0, states).Select(UpdateGraph.State)];
        graph = new BlockGraph(
            update, spare, BlockForm.Parts, [.. changed, .. changed.Select(c => UpdateGraph.Next + c), UpdateGraph.Direction]);
        (state, next) = (Zeros(), Zeros());

        TensorBlock[] Zeros() => [.. Enumerable.Range(0, states).Select(_ => new TensorBlock(spare.Layout, spare.Device))];
    }

    public IReadOnlyList<TensorBlock> State => state;

    public long Steps { get; set; }

    public void Step(TensorBlock parameters, TensorBlock direction, float learningRate)
    {
        graph[UpdateGraph.Parameters] = parameters;
        graph[UpdateGraph.Direction] = direction;
        graph[UpdateGraph.Next + UpdateGraph.Parameters] = spare;
        for (var k = 0; k < state.Length; k++)
        {
            graph[UpdateGraph.State(k)] = state[k];
            graph[UpdateGraph.Next + UpdateGraph.State(k)] = next[k];
        }
        setScalars(graph, learningRate, Steps + 1);
        graph.Run();
        parameters.Swap(spare);
        for (var k = 0; k < state.Length; k++)
            state[k].Swap(next[k]);
        Steps++;
    }

    public void Dispose()
    {
        graph.Dispose();
        foreach (var block in state.Concat(next))
            block.Dispose();
    }
}
