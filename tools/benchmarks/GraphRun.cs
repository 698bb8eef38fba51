using RegistryUnlearn.Onnx.Graphs;
using RegistryUnlearn.Training.Buffers;
using RegistryUnlearn.Training.Runtime;

namespace RegistryUnlearn.Benchmarks;

/// <summary>A few nodes with one output, on inputs of random values; the free dimension is the batch.</summary>
sealed class GraphRun : IDisposable
{
    readonly GraphSession session;
    readonly BoundStep step;
    readonly TensorBlock none = new([]);

    public GraphRun(long batch, Func<GraphBuilder, Value> body)
    {
        var g = new GraphBuilder(GraphBuilder.OldestOpset);
        var result = body(g);
        var types = new TypeOracle();
        types.Update(g);
        g.Output("result", result, types[result.Name]);
        session = new GraphSession(g.Build());
        step = new BoundStep(session, _ => batch, none);
        foreach (var input in g.Inputs.Keys)
            Networks.Fill(step[input].Floats, 1);
    }

    /// <summary>The output of the last run.</summary>
    public ReadOnlySpan<float> Result => step["result"].Floats;

    public void Run() => step.Run();

    public void Dispose()
    {
        step.Dispose();
        session.Dispose();
        none.Dispose();
    }
}
