using RegistryUnlearn.Onnx.Graphs;

namespace RegistryUnlearn.Onnx.Gradients.Rules;

/// <summary>One direction of a recurrent layer: what every step of it uses.</summary>
/// <param name="Weights">Rᵀ [hidden, gates · hidden], in parts that steps multiply with.</param>
/// <param name="Bias">Of the recurrent product of a GRU's candidate, where the reset gate applies behind it.</param>
/// <param name="Functions">The activations, behind the clipping of their inputs.</param>
sealed record RecurrentCell(RuleContext R, long Hidden, Value[] Weights, Value? Bias, Func<Value, Value>[] Functions)
{
    GraphBuilder G => R.G;

    /// <summary>The cell, and what is to be added to x·Wᵀ: both biases, as far as they can be added at once.</summary>
    public static (RecurrentCell Cell, Value? InputBias) Of(RuleContext r, Value recurrent, Value? bias, Func<Value, Value>[] functions)
    {
        var (g, hidden) = (r.G, r.InType(2).Sizes[2]);
        var weights = g.Transpose(recurrent, [1, 0]);
        var isGru = r.Node.OpType is "GRU";
        var cell = new RecurrentCell(r, hidden, isGru ? g.Split(weights, [2 * hidden, hidden], 1) : [weights], null, functions);
        if (bias is null)
            return (cell, null);
        var gates = r.InType(3).Sizes[1] / 2;
        if (!ResetsBehind(r))
            return (cell, g.Split(bias.Value, [gates, gates], 0) is var halves ? g.Add(halves[0], halves[1]) : default);
        var parts = g.Split(bias.Value, [2 * hidden, hidden, 2 * hidden, hidden], 0);
        return (cell with { Bias = parts[3] }, g.Concat([g.Add(parts[0], parts[2]), parts[1]], 0));
    }

    static bool ResetsBehind(RuleContext r) => r.Node.OpType is "GRU" && r.Int("linear_before_reset", 0) != 0;

    /// <summary>Gates in the order input, output, forget, cell (Hochreiter and Schmidhuber, 1997; Gers et al., 2000).</summary>
    public static (Value, Value?) Lstm(RecurrentCell cell, Value projected, Value h, Value? c)
    {
        var (g, size) = (cell.G, cell.Hidden);
        var sums = g.Split(g.Add(projected, g.MatMul(h, cell.Weights[0])), [3 * size, size], 1);
        var gates = g.Split(cell.Functions[0](sums[0]), [size, size, size], 1);
        var forget = cell.R.Int("input_forget", 0) != 0 ? g.Sub(g.Scalar(1), gates[0]) : gates[2];
        var memory = g.Add(g.Mul(forget, c!.Value), g.Mul(gates[0], cell.Functions[1](sums[1])));
        return (g.Mul(gates[1], cell.Functions[2](memory)), memory);
    }

    /// <summary>
    /// Gates in the order update z, reset r, candidate; the state moves to (1 − z)·candidate + z·h (Cho et al., 2014).
    /// </summary>
    public static (Value, Value?) Gru(RecurrentCell cell, Value projected, Value h, Value? c)
    {
        var (g, size) = (cell.G, cell.Hidden);
        var inputs = g.Split(projected, [2 * size, size], 1);
        var gates = g.Split(cell.Functions[0](g.Add(inputs[0], g.MatMul(h, cell.Weights[0]))), [size, size], 1);
        var recurrent = ResetsBehind(cell.R) ? g.Mul(gates[1], Biased(g.MatMul(h, cell.Weights[1])))
            : g.MatMul(g.Mul(gates[1], h), cell.Weights[1]);
        var candidate = cell.Functions[1](g.Add(inputs[1], recurrent));
        return (g.Add(candidate, g.Mul(gates[0], g.Sub(h, candidate))), null);

        Value Biased(Value product) => cell.Bias is { } bias ? g.Add(product, bias) : product;
    }

    public static (Value, Value?) Rnn(RecurrentCell cell, Value projected, Value h, Value? c) =>
        (cell.Functions[0](cell.G.Add(projected, cell.G.MatMul(h, cell.Weights[0]))), null);
}
