using RegistryUnlearn.Onnx.Gradients;
using RegistryUnlearn.Onnx.Graphs;
using RegistryUnlearn.Onnx.Proto;
using RegistryUnlearn.Onnx.Tests.Graphs;

namespace RegistryUnlearn.Onnx.Tests.Gradients;

/// <summary>
/// Derivatives against difference quotients along random directions. First order: for y = f(x) and a random cotangent c, the gradient of
/// ⟨c, f(x)⟩ times a direction t is ⟨c, (f(x + ht) − f(x − ht)) / 2h⟩. Second order: the same for the gradient as a function of x and c.
/// The quotient is the one with five points, exact for polynomials of degree four, so that h can be large enough for float32.
/// </summary>
static class GradientCheck
{
    /// <param name="free">Whether the letters among the dimensions are free, or have their sizes when the graph is built.</param>
    /// <param name="rules">Other rules than those of the table, to check the check.</param>
    public static void Run(GradientCase test, int opset, bool free, Func<NodeProto, GraphBuilder, Rule?>? rules = null)
    {
        var random = new Random(17);
        var g = test.NewGraph(opset);
        var feeds = new Dictionary<string, Tensor>();
        var operands = test.Operands;
        Value[] ins = [.. operands.Select((o, i) => o.Declare(g, $"x{i}", free))];
        for (var i = 0; i < ins.Length; i++)
            if (operands[i].IsInput)
                feeds[ins[i].Name] = operands[i].Sample(random);
        Value[] xs = [.. ins.Where((_, i) => operands[i].IsFloat)];

        var ys = test.Append(g, ins);
        Assert.Contains(g.Nodes, n => RuleTable.Find(n, g) is { } rule && rule == test.Rule(opset));
        var differentiator = new Differentiator(g) { Rules = rules ?? RuleTable.Find };
        differentiator.Refresh();
        Value[] cs = [.. ys.Select((y, k) => Cotangent(differentiator.Types[y.Name], y, $"c{k}"))];
        var gradients = differentiator.Gradients(Projected(ys, cs), xs);
        Value[] vs = [.. xs.Select((x, i) => g.Input($"v{i}", g.Inputs[x.Name]))];
        foreach (var (x, v) in xs.Zip(vs))
            feeds[v.Name] = Direction(feeds[x.Name].Shape);
        string[] variables = [.. xs.Select(x => x.Name), .. ys.Select((_, k) => $"c{k}")];
        var seconds = differentiator.Gradients(Projected(gradients, vs), [.. variables.Select(v => new Value(v))]);
        differentiator.Refresh();
        Output("y", ys);
        Output("gradient", gradients);
        Output("second", seconds);

        using var evaluation = new Evaluation(g.Build());
        var at = evaluation.Run(feeds);
        if (test.Rule(opset)!.Decompose is not null)
            CompareWithParts(test, opset, feeds, at);
        for (var j = 0; j < variables.Length; j++)
        {
            var direction = Direction(feeds[variables[j]].Shape);
            Dictionary<string, Tensor>[] around =
                [.. new[] { -2, -1, 1, 2 }.Select(steps => evaluation.Run(Moved(variables[j], direction.Floats, steps * test.Step)))];
            if (j < xs.Length)
                Compare($"first order by {variables[j]}", "y", cs.Length, "c", around, at[$"gradient{j}"], direction);
            Compare($"second order by {variables[j]}", "gradient", vs.Length, "v", around, at[$"second{j}"], direction);
        }

        // An output whose size is none of the inputs' gets a cotangent cut from a long vector.
        Value Cotangent(TensorType type, Value y, string name)
        {
            var known = g.Inputs.Values.SelectMany(t => t.Shape).Where(d => !d.IsFixed).ToHashSet();
            var direct = type.Shape.All(d => d.IsFixed || known.Contains(d));
            long[] shape = direct ? [.. type.Shape.Select(d => d.IsFixed ? d.Size : Operand.Sizes[d.Symbol!])] : [131072];
            feeds[name] = Direction(shape);
            if (direct)
                return g.Input(name, type);
            var all = g.Input(name, TensorType.Float(131072));
            return g.Reshape(g.Add("Slice", [all, g.Ints(0), g.Reshape(g.Add("Size", [y]), 1)]), g.Shape(y));
        }

        Value Projected(Value[] values, Value[] by) => values.Zip(by, (value, b) => g.SumAll(g.Mul(value, b))).Aggregate(g.Add);

        void Output(string name, Value[] values)
        {
            for (var i = 0; i < values.Length; i++)
                g.Output($"{name}{i}", values[i]);
        }

        Tensor Direction(long[] shape) =>
            new(Enumerable.Range(0, (int)shape.Aggregate(1L, (n, d) => n * d)).Select(_ => 2 * random.NextSingle() - 1).ToArray(), shape);

        Dictionary<string, Tensor> Moved(string variable, float[] direction, float by) => new(feeds)
        {
            [variable] = feeds[variable] with { Values = feeds[variable].Floats.Zip(direction, (x, t) => x + by * t).ToArray() },
        };

        void Compare(string what, string function, int count, string weight, Dictionary<string, Tensor>[] around, Tensor gradient,
            Tensor direction)
        {
            Assert.Equal(direction.Shape, gradient.Shape);
            double numeric = 0, size = 0;
            for (var k = 0; k < count; k++)
            {
                float[] F(int i) => around[i][$"{function}{k}"].Floats;
                var weights = feeds[$"{weight}{k}"].Floats;
                for (var e = 0; e < F(0).Length; e++)
                {
                    numeric += weights[e] * (F(0)[e] - 8.0 * F(1)[e] + 8.0 * F(2)[e] - F(3)[e]) / (12 * test.Step);
                    size += Math.Pow(weights[e] * F(1)[e], 2);
                }
            }
            double[] terms = [.. gradient.Floats.Zip(direction.Floats, (d, t) => (double)d * t)];
            // The second term is what rounding of f in float32 may cost.
            var scale = Math.Sqrt(terms.Sum(t => t * t)) + 0.01 * Math.Sqrt(size);
            Assert.True(Math.Abs(terms.Sum() - numeric) <= test.Tolerance * scale,
                $"{test.Name}, opset {opset}, {what}: {terms.Sum()} instead of {numeric}, at scale {scale}");
        }
    }

    /// <summary>Operators that were replaced by simpler ones: the replacement computes what the operator computes.</summary>
    static void CompareWithParts(GradientCase test, int opset, Dictionary<string, Tensor> feeds, Dictionary<string, Tensor> parts)
    {
        var g = test.NewGraph(opset);
        var ys = test.Append(g, [.. test.Operands.Select((o, i) => o.Declare(g, $"x{i}", free: false))]);
        for (var k = 0; k < ys.Length; k++)
            g.Output($"y{k}", ys[k]);
        using var evaluation = new Evaluation(g.Build(), "com.microsoft");
        var whole = evaluation.Run(feeds.Where(f => g.Inputs.ContainsKey(f.Key)).ToDictionary());
        foreach (var (name, tensor) in whole)
        {
            Assert.Equal(tensor.Shape, parts[name].Shape);
            foreach (var (expected, actual) in tensor.Floats.Zip(parts[name].Floats))
                Assert.True(
                    Math.Abs(expected - actual) <= 2e-5f * (1 + Math.Abs(expected)),
                    $"{test.Name}, opset {opset}: {actual} instead of {expected}");
        }
    }
}
