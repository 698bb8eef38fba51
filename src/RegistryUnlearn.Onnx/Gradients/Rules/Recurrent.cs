using RegistryUnlearn.Onnx.Graphs;
using RegistryUnlearn.Onnx.Models;

namespace RegistryUnlearn.Onnx.Gradients.Rules;

/// <summary>
/// Recurrent layers over a fixed number of steps, written out step by step (formulas: ONNX operator specification, "LSTM", "GRU" and
/// "RNN", with their default activations). X is [steps, batch, features]; weights hold one slice per direction.
/// </summary>
static class Recurrent
{
    public static IReadOnlyList<Rule> Rules { get; } =
    [
        Rule.Fused("LSTM", 14, r => Unroll(r, ["Sigmoid", "Tanh", "Tanh"], Lstm)),
        Rule.Fused("GRU", 14, r => Unroll(r, ["Sigmoid", "Tanh"], Gru)),
        Rule.Fused("RNN", 14, r => Unroll(r, ["Tanh"], Rnn)),
    ];

    /// <summary>What a step reads: x·Wᵀ with the input's bias, R, R's bias, the state before and the memory cell before.</summary>
    delegate (Value H, Value? C) Step(RuleContext r, Value projected, Value weights, Value? bias, Value h, Value? c);

    static Value?[] Unroll(RuleContext r, string[] activations, Step step)
    {
        var hidden = r.Int("hidden_size", r.InType(2).Sizes[2]);
        var steps = Check(r, activations);
        var directions = (int)r.InType(1).Sizes[0];
        Value[] ys = new Value[directions], hs = new Value[directions], cs = new Value[directions];
        for (var d = 0; d < directions; d++)
        {
            var weights = r.G.Transpose(Direction(r.In(2), d), [1, 0]);
            var (inputBias, bias) = Biases(d);
            var projected = r.G.MatMul(r.In(0), r.G.Transpose(Direction(r.In(1), d), [1, 0]));
            var parts = Split(r.G, inputBias is { } b ? r.G.Add(projected, b) : projected, steps, 0);
            var h = Initial(5, d);
            Value? c = r.Node.OpType is "LSTM" ? Initial(6, d) : null;
            var states = new Value[steps];
            var backwards = d == 1 || r.Node.Text("direction", "forward") is "reverse";
            for (var i = 0; i < steps; i++)
            {
                var t = backwards ? steps - 1 - i : i;
                (h, c) = step(r, r.G.Squeeze(parts[t], 0), weights, bias, h, c);
                states[t] = r.G.Unsqueeze(h, 0, 1);
            }
            ys[d] = r.G.Concat(states, 0);
            hs[d] = r.G.Unsqueeze(h, 0);
            cs[d] = c is { } cell ? r.G.Unsqueeze(cell, 0) : default;
        }
        return [r.G.Concat(ys, 1), r.G.Concat(hs, 0), r.Node.OpType is "LSTM" ? r.G.Concat(cs, 0) : null];

        Value Direction(Value all, int d) => r.G.Squeeze(directions == 1 ? all : r.G.Slice(all, [d], [d + 1], [0], [1]), 0);

        (Value? Input, Value? State) Biases(int d)
        {
            if (!r.HasIn(3))
                return (null, null);
            var halves = Split(r.G, Direction(r.In(3), d), 2, 0, r.InType(3).Sizes[1] / 2);
            return (halves[0], halves[1]);
        }

        Value Initial(int i, int d) => r.HasIn(i) ? Direction(r.In(i), d)
            : r.G.Zeros(r.G.Concat([r.G.Gather(r.G.Shape(r.In(0)), r.G.Ints(1), 0), r.G.Ints(hidden)], 0));
    }

    /// <summary>The number of steps.</summary>
    /// <exception cref="OnnxModelException">The layer is of a form that is not covered.</exception>
    static int Check(RuleContext r, string[] activations)
    {
        var given = r.Node.Find("activations")?.Strings.Select(s => s.ToStringUtf8()).ToArray() ?? [];
        var form = r.HasIn(4) ? "sequence_lens" : r.HasIn(7) ? "peepholes"
            : r.Node.Find("clip") is not null ? "clip" : r.Int("input_forget", 0) != 0 ? "input_forget"
            : given.Where((a, i) => a != activations[i % activations.Length]).Any() ? "activations that are not the default ones"
            : r.InType(0).Shape[0] is not { IsFixed: true, Size: > 0 } ? "a number of steps that is not fixed" : null;
        return form is null ? (int)r.InType(0).Shape[0].Size : throw new OnnxModelException(
            $"{r.Node.OpType} (node '{r.Node.Name}') with {form} has no gradient rule; export it without, or train only the layers behind it");
    }

    static Value[] Split(GraphBuilder g, Value x, int count, long axis, long size = 1)
    {
        if (count == 1)
            return [x];
        Value[] parts = new Value[count];
        for (var i = 0; i < count; i++)
            parts[i] = new Value(g.Fresh($"Split.{x}.{i}"));
        g.Add("Split", [x, g.Ints([.. Enumerable.Repeat(size, count)])], parts, Attributes.Of("axis", axis));
        return parts;
    }

    static Value Plus(GraphBuilder g, Value x, Value? bias) => bias is { } b ? g.Add(x, b) : x;

    /// <summary>Gates in the order input, output, forget, cell.</summary>
    static (Value, Value?) Lstm(RuleContext r, Value projected, Value weights, Value? bias, Value h, Value? c)
    {
        var g = r.G;
        var gates = Split(g, Plus(g, g.Add(projected, g.MatMul(h, weights)), bias), 4, 1, r.InType(2).Sizes[2]);
        var cell = g.Add(g.Mul(g.Sigmoid(gates[2]), c!.Value), g.Mul(g.Sigmoid(gates[0]), g.Tanh(gates[3])));
        return (g.Mul(g.Sigmoid(gates[1]), g.Tanh(cell)), cell);
    }

    /// <summary>Gates in the order update z, reset r, candidate; the state moves to (1 − z)·candidate + z·h.</summary>
    static (Value, Value?) Gru(RuleContext r, Value projected, Value weights, Value? bias, Value h, Value? c)
    {
        var g = r.G;
        var size = r.InType(2).Sizes[2];
        var inputs = Split(g, projected, 3, 1, size);
        var columns = Split(g, weights, 3, 1, size);
        var biases = bias is { } b ? Split(g, b, 3, 0, size) : [];
        var update = g.Sigmoid(g.Add(inputs[0], Recur(h, 0)));
        var reset = g.Sigmoid(g.Add(inputs[1], Recur(h, 1)));
        var candidate = g.Tanh(g.Add(inputs[2], r.Int("linear_before_reset", 0) != 0 ? g.Mul(reset, Recur(h, 2)) : Recur(g.Mul(reset, h), 2)));
        return (g.Add(candidate, g.Mul(update, g.Sub(h, candidate))), null);

        Value Recur(Value state, int gate) => Plus(g, g.MatMul(state, columns[gate]), biases.Length > 0 ? biases[gate] : null);
    }

    static (Value, Value?) Rnn(RuleContext r, Value projected, Value weights, Value? bias, Value h, Value? c) =>
        (r.G.Tanh(Plus(r.G, r.G.Add(projected, r.G.MatMul(h, weights)), bias)), null);
}
