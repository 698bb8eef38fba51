using RegistryUnlearn.Onnx.Graphs;
using RegistryUnlearn.Onnx.Proto;

namespace RegistryUnlearn.Training.Optimizers;

/// <summary>
/// The updates of <see cref="SgdMomentum"/> and <see cref="AdamW"/> as graphs of standard operators. (The optimizer artifact of the
/// training engine is one operator that only its own packages have, and without momentum.) Inputs <c>parameters/{p}</c>,
/// <c>direction/{p}</c>, the state and scalars; outputs are the parameters and the state after the step, under <c>next/</c>.
/// </summary>
static class UpdateGraph
{
    public const string Parameters = "parameters/", Direction = "direction/", Next = "next/";
    public const string Rate = "rate", Keep = "keep", Scale = "scale";

    /// <summary>The k-th tensor block of the state, as input; as output it has the prefix <see cref="Next"/> too.</summary>
    public static string State(int k) => $"state-{k}/";

    /// <summary>v ← μv + g + λθ; θ ← θ − ηv, with η the scalar <see cref="Rate"/>.</summary>
    public static ModelProto SgdMomentum(IReadOnlyList<ModelParameter> parts, float momentum, float weightDecay)
    {
        var g = new GraphBuilder(GraphBuilder.OldestOpset);
        var rate = g.Input(Rate, TensorType.Float());
        foreach (var part in parts)
        {
            Value theta = Input(g, Parameters, part), direction = Input(g, Direction, part), velocity = Input(g, State(0), part);
            velocity = g.Add(g.Add(g.Scale(velocity, momentum), direction), g.Scale(theta, weightDecay));
            Output(g, State(0), part, velocity);
            Output(g, Parameters, part, g.Sub(theta, g.Mul(velocity, rate)));
        }
        return g.Build();
    }

    /// <summary>
    /// m ← β₁m + (1 − β₁)g; v ← β₂v + (1 − β₂)g²; θ ← keep · θ − rate · m / (scale · √v + ε), with the scalars of
    /// <see cref="AdamW.Factors"/>.
    /// </summary>
    public static ModelProto AdamW(IReadOnlyList<ModelParameter> parts, float beta1, float beta2, float epsilon)
    {
        var g = new GraphBuilder(GraphBuilder.OldestOpset);
        var scalar = TensorType.Float();
        Value keep = g.Input(Keep, scalar), rate = g.Input(Rate, scalar), scale = g.Input(Scale, scalar);
        foreach (var part in parts)
        {
            Value theta = Input(g, Parameters, part), direction = Input(g, Direction, part);
            Value mean = Input(g, State(0), part), square = Input(g, State(1), part);
            mean = g.Add(g.Scale(mean, beta1), g.Scale(direction, 1 - beta1));
            square = g.Add(g.Scale(square, beta2), g.Scale(g.Mul(direction, direction), 1 - beta2));
            var size = g.Add(g.Mul(g.Sqrt(square), scale), g.Scalar(epsilon));
            Output(g, State(0), part, mean);
            Output(g, State(1), part, square);
            Output(g, Parameters, part, g.Sub(g.Mul(theta, keep), g.Div(g.Mul(mean, rate), size)));
        }
        return g.Build();
    }

    static Value Input(GraphBuilder g, string block, ModelParameter part) => g.Input(block + part.Name, part.Type);

    static void Output(GraphBuilder g, string block, ModelParameter part, Value value) =>
        g.Output(Next + block + part.Name, value, part.Type);
}
