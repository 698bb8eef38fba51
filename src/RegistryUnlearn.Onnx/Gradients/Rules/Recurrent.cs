using RegistryUnlearn.Onnx.Graphs;
using RegistryUnlearn.Onnx.Proto;

namespace RegistryUnlearn.Onnx.Gradients.Rules;

/// <summary>
/// Recurrent layers over a fixed number of steps, written out step by step (formulas: ONNX operator specification, "LSTM", "GRU" and
/// "RNN"). X is [steps, batch, features]; weights hold one slice per direction.
/// </summary>
static class Recurrent
{
    /// <summary>
    /// The graph has about 120 nodes per step with its second derivatives; beyond this many steps, building it takes minutes.
    /// </summary>
    const int MostSteps = 256;

    public static IReadOnlyList<Rule> Rules { get; } =
    [
        Rule.Fused("LSTM", 14, r => Unroll(r, ["Sigmoid", "Tanh", "Tanh"], RecurrentCell.Lstm)),
        Rule.Fused("GRU", 14, r => Unroll(r, ["Sigmoid", "Tanh"], RecurrentCell.Gru)),
        Rule.Fused("RNN", 14, r => Unroll(r, ["Tanh"], RecurrentCell.Rnn)),
    ];

    /// <summary>One step, from x·Wᵀ + bias, the state and the memory before it (all [batch, …]).</summary>
    public delegate (Value H, Value? C) Step(RecurrentCell cell, Value projected, Value h, Value? c);

    /// <summary>Inputs: X, W, R, bias, steps per sample, state, memory. Outputs: all states, the last state, the last memory.</summary>
    static Value?[] Unroll(RuleContext r, string[] activations, Step step)
    {
        var (g, steps) = (r.G, Steps(r));
        var directions = (int)r.InType(1).Sizes[0];
        var functions = RecurrentActivations.Of(r, [.. Enumerable.Repeat(activations, directions).SelectMany(a => a)]);
        var active = r.HasIn(4) ? Active(r, steps) : null;
        Value[] ys = new Value[directions], hs = new Value[directions], cs = new Value[directions];
        for (var d = 0; d < directions; d++)
        {
            var (cell, inputBias) = RecurrentCell.Of(r, Direction(2, d), r.HasIn(3) ? Direction(3, d) : null,
                functions[(d * activations.Length)..((d + 1) * activations.Length)]);
            var projected = g.MatMul(r.In(0), g.Transpose(Direction(1, d), [1, 0]));
            var parts = g.Split(inputBias is { } b ? g.Add(projected, b) : projected, Ones(steps), 0);
            // Zeros of a size that ONNX Runtime infers.
            var some = g.Slice(g.Squeeze(parts[0], 0), [0], [cell.Hidden], [1], [1]);
            var none = g.Cast(g.Less(some, some));
            var h = Initial(5, d) ?? none;
            Value? c = r.Node.OpType is "LSTM" ? Initial(6, d) ?? none : null;
            var states = new Value[steps];
            var backwards = d == 1 || r.Node.Text("direction", "forward") is "reverse";
            for (var i = 0; i < steps; i++)
            {
                var t = backwards ? steps - 1 - i : i;
                var (nextH, nextC) = step(cell, g.Squeeze(parts[t], 0), h, c);
                states[t] = g.Unsqueeze(active is null ? nextH : g.Where(active[t], nextH, none), 0, 1);
                h = active is null ? nextH : g.Where(active[t], nextH, h);
                c = active is null || nextC is null ? nextC : g.Where(active[t], nextC.Value, c!.Value);
            }
            (ys[d], hs[d], cs[d]) = (g.Concat(states, 0), g.Unsqueeze(h, 0), c is { } memory ? g.Unsqueeze(memory, 0) : default);
        }
        return [g.Concat(ys, 1), g.Concat(hs, 0), r.Node.OpType is "LSTM" ? g.Concat(cs, 0) : null];

        Value Direction(int i, int d) => g.Squeeze(directions == 1 ? r.In(i) : g.Slice(r.In(i), [d], [d + 1], [0], [1]), 0);

        Value? Initial(int i, int d) => r.HasIn(i) ? Direction(i, d) : null;
    }

    /// <summary>Per step, whether a sample has it: [batch, 1]. A sample's state stays as it is at steps that it does not have.</summary>
    static Value[] Active(RuleContext r, int steps)
    {
        var lengths = r.G.Unsqueeze(r.G.Cast(r.In(4), TensorProto.Types.DataType.Int64), 1);
        return [.. Enumerable.Range(0, steps).Select(t => r.G.Greater(lengths, r.G.Ints(t)))];
    }

    /// <summary>The number of steps.</summary>
    /// <exception cref="Models.OnnxModelException">The layer is of a form that is not covered.</exception>
    static int Steps(RuleContext r)
    {
        var form = r.HasIn(7) ? "peepholes"
            : r.InType(0).Shape[0] is not { IsFixed: true, Size: > 0 } ? "a number of steps that is not fixed"
            : r.InType(0).Shape[0].Size > MostSteps ? $"more than {MostSteps} steps" : null;
        return form is null
            ? (int)r.InType(0).Shape[0].Size
            : throw r.Refuse(form, "export it without, or train only the layers behind it");
    }

    static long[] Ones(int count) => [.. Enumerable.Repeat(1L, count)];
}
