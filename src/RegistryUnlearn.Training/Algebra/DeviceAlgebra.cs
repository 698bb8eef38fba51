using RegistryUnlearn.Onnx.Graphs;
using RegistryUnlearn.Onnx.Proto;
using RegistryUnlearn.Training.Buffers;
using RegistryUnlearn.Training.Devices;
using RegistryUnlearn.Training.Harmonization;
using RegistryUnlearn.Training.Optimizers;

namespace RegistryUnlearn.Training.Algebra;

/// <summary>
/// Block algebra in the memory of a device: graphs that write a spare block, which then swaps with the one they were to change. Only
/// scalars leave the device. Graphs are made when they are first used.
/// </summary>
sealed class DeviceAlgebra(ExecutionDevice device, IReadOnlyList<ModelParameter> layout) : IBlockAlgebra
{
    const string Block = "block/", Target = "target/", Other = "other/", Mixed = "mixed/";
    const string Keep = "keep", Weight = "weight", Square = "square";

    readonly TensorBlock spare = new(layout, device);
    readonly Dictionary<(HarmonizationScope, HarmonizationMode), BlockGraph> harmonizers = [];
    BlockGraph? squareSum, mix, multiply, addSigns;

    public double SquareSum(TensorBlock block)
    {
        squareSum ??= new(SquareSumGraph(spare.PartLayout), spare, BlockForm.Parts, Block);
        squareSum[Block] = block;
        squareSum.Run();
        return squareSum.Scalar(Square);
    }

    public void Mix(TensorBlock target, float keep, TensorBlock other, float weight)
    {
        mix ??= Pairwise([Keep, Weight], (g, a, b, scalars) => g.Add(g.Mul(a, scalars[0]), g.Mul(b, scalars[1])));
        mix.Set(Keep, keep);
        mix.Set(Weight, weight);
        Change(mix, target, other);
    }

    public void Multiply(TensorBlock target, TensorBlock factors) =>
        Change(multiply ??= Pairwise([], (g, a, b, _) => g.Mul(a, b)), target, factors);

    public void AddSigns(TensorBlock target, TensorBlock other, float weight)
    {
        addSigns ??= Pairwise([Weight], (g, a, b, scalars) => g.Add(a, g.Mul(g.Sign(b), scalars[0])));
        addSigns.Set(Weight, weight);
        Change(addSigns, target, other);
    }

    void Change(BlockGraph graph, TensorBlock target, TensorBlock other)
    {
        (graph[Target], graph[Other], graph[Mixed]) = (target, other, spare);
        graph.Run();
        target.Swap(spare);
    }

    public Harmonized Harmonize(
        TensorBlock remember, TensorBlock forget, HarmonizationScope scope, HarmonizationMode mode, float forgetWeight)
    {
        var graph = Harmonizer(scope, mode);
        (graph[HarmonizerGraph.Remember], graph[HarmonizerGraph.Forget], graph[HarmonizerGraph.Direction]) = (remember, forget, spare);
        graph.Set(HarmonizerGraph.ForgetWeight, forgetWeight);
        graph.Run();
        remember.Swap(spare);
        return new(
            graph.Scalar(HarmonizerGraph.Cosine), graph.Scalar(HarmonizerGraph.Fired), graph.Scalar(HarmonizerGraph.KeptForgetNorm));
    }

    public IOptimizer SgdMomentum(float momentum, float weightDecay) => new GraphOptimizer(
        UpdateGraph.SgdMomentum(spare.PartLayout, momentum, weightDecay), 1, spare,
        (graph, learningRate, _) => graph.Set(UpdateGraph.Rate, learningRate));

    public IOptimizer AdamW(float weightDecay, float beta1, float beta2, float epsilon) => new GraphOptimizer(
        UpdateGraph.AdamW(spare.PartLayout, beta1, beta2, epsilon), 2, spare,
        (graph, learningRate, step) =>
        {
            var (keep, rate, scale) = Optimizers.AdamW.Factors(learningRate, weightDecay, beta1, beta2, step);
            graph.Set(UpdateGraph.Keep, keep);
            graph.Set(UpdateGraph.Rate, rate);
            graph.Set(UpdateGraph.Scale, scale);
        });

    BlockGraph Harmonizer(HarmonizationScope scope, HarmonizationMode mode)
    {
        if (!harmonizers.TryGetValue((scope, mode), out var graph))
        {
            // Over all parameters together it does not matter where one of them ends.
            var form = scope is HarmonizationScope.Global ? BlockForm.Parts : BlockForm.Tensors;
            harmonizers[(scope, mode)] = graph = new(
                HarmonizerGraph.Build(form is BlockForm.Parts ? spare.PartLayout : spare.Layout, scope, mode), spare, form,
                HarmonizerGraph.Remember, HarmonizerGraph.Forget, HarmonizerGraph.Direction);
        }
        return graph;
    }

    static ModelProto SquareSumGraph(IReadOnlyList<ModelParameter> parts)
    {
        var g = new GraphBuilder(GraphBuilder.OldestOpset);
        Value[] blocks = [.. parts.Select(p => g.Input(Block + p.Name, p.Type))];
        g.Output(Square, g.Cast(blocks.Select(b => HarmonizerGraph.Dot(g, b, b)).Aggregate(g.Add)));
        return g.Build();
    }

    /// <summary>A graph that computes elements from those of two blocks and some scalars.</summary>
    BlockGraph Pairwise(string[] scalars, Func<GraphBuilder, Value, Value, Value[], Value> combine)
    {
        var g = new GraphBuilder(GraphBuilder.OldestOpset);
        Value[] given = [.. scalars.Select(name => g.Input(name, TensorType.Float()))];
        foreach (var part in spare.PartLayout)
        {
            Value target = g.Input(Target + part.Name, part.Type), other = g.Input(Other + part.Name, part.Type);
            g.Output(Mixed + part.Name, combine(g, target, other, given), part.Type);
        }
        return new(g.Build(), spare, BlockForm.Parts, Target, Other, Mixed);
    }

    public void Dispose()
    {
        foreach (var graph in harmonizers.Values.Concat([squareSum, mix, multiply, addSigns]))
            graph?.Dispose();
        spare.Dispose();
    }
}
