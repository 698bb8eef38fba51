using System.Globalization;
using RegistryUnlearn.Onnx.Gradients;
using RegistryUnlearn.Onnx.Graphs;
using RegistryUnlearn.Onnx.Lowering;
using RegistryUnlearn.Onnx.Proto;

namespace RegistryUnlearn.Onnx.Tests.Gradients;

/// <summary>
/// A function of tensors whose derivatives are checked. Most cases are one operator: its inputs as <see cref="Operand"/> texts separated
/// by '|', its attributes as "name=value" texts separated by spaces (1 is an integer, 1.0 a float, [1], [1.0] and [a] are lists, anything
/// else is a string).
/// </summary>
sealed record GradientCase(string Op, string Inputs, string Attributes = "")
{
    /// <summary>First and last operator set in which the operator has this form.</summary>
    public int From { get; init; } = 17;

    public int Until { get; init; } = int.MaxValue;

    public int Outputs { get; init; } = 1;

    /// <summary>Largest accepted error, relative to the root mean square of the directional derivative over random directions.</summary>
    public double Tolerance { get; init; } = 1e-3;

    /// <summary>Distance of the difference quotient's inner points; the outer ones are twice as far.</summary>
    public float Step { get; init; } = 1 / 32f;

    /// <summary>Another function than one node of <see cref="Op"/>; the node must be in it.</summary>
    public Func<GraphBuilder, Value[], Value[]>? Build { get; init; }

    public string Name => string.Join(' ', new[]
    {
        $"{Op}({Inputs})", Attributes, From > 17 ? $"from {From}" : "", Until < int.MaxValue ? $"until {Until}" : "",
    }.Where(part => part.Length > 0));

    public Operand[] Operands => [.. Inputs.Split('|', StringSplitOptions.TrimEntries).Select(t => new Operand(t))];

    public bool HasFreeSizes => Operands.Any(o => o.IsInput && o.Text.Split(' ')[0].Split(',').Any(Operand.Sizes.ContainsKey));

    string Domain => Op.LastIndexOf('.') is > 0 and var dot ? Op[..dot]
        : Op is Adjoint.ConvGradInputOp or Adjoint.ConvGradWeightOp or Adjoint.MaxPoolGradOp or Adjoint.MaxPoolGatherOp
            or Adjoint.AveragePoolGradOp or Adjoint.SliceGradOp ? Adjoint.Domain
        : "";

    /// <summary>The rule that the case is about.</summary>
    public Rule? Rule(int opset) => RuleTable.Find(new NodeProto { OpType = OpType, Domain = Domain }, new GraphBuilder(opset));

    string OpType => Op[(Op.LastIndexOf('.') + 1)..];

    public GraphBuilder NewGraph(int opset)
    {
        var g = new GraphBuilder(opset);
        if (Op.Contains('.'))
            g.Import(Domain, 1);
        return g;
    }

    public Value[] Append(GraphBuilder g, Value[] ins)
    {
        if (Build is not null)
            return Build(g, ins);
        Value[] outs = [.. Enumerable.Range(0, Outputs).Select(i => new Value($"{Op}/{i}"))];
        var attributes = Attributes.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(Parse);
        g.Add(Domain.Length > 0 ? $"{Domain}.{OpType}" : Op, ins, outs, [.. attributes]);
        return outs;
    }

    static AttributeProto Parse(string text)
    {
        var (name, value) = (text.Split('=')[0], text.Split('=')[1]);
        return value switch
        {
            ['[', .. var list, ']'] when list.Contains('.') => Floats(name, list),
            ['[', .. var list, ']'] when list.Length > 0 && char.IsLetter(list[0]) => Texts(name, list),
            ['[', .. var list, ']'] => Onnx.Graphs.Attributes.Of(name,
                list.Split(',', StringSplitOptions.RemoveEmptyEntries).Select(t => long.Parse(t, CultureInfo.InvariantCulture))),
            _ when long.TryParse(value, CultureInfo.InvariantCulture, out var integer) => Onnx.Graphs.Attributes.Of(name, integer),
            _ when float.TryParse(value, CultureInfo.InvariantCulture, out var real) => Onnx.Graphs.Attributes.Of(name, real),
            _ => Onnx.Graphs.Attributes.Of(name, value),
        };
    }

    static AttributeProto Floats(string name, string list) => new()
    {
        Name = name,
        Type = AttributeProto.Types.AttributeType.Floats,
        Floats = { list.Split(',').Select(t => float.Parse(t, CultureInfo.InvariantCulture)) },
    };

    static AttributeProto Texts(string name, string list) => new()
    {
        Name = name,
        Type = AttributeProto.Types.AttributeType.Strings,
        Strings = { list.Split(',').Select(Google.Protobuf.ByteString.CopyFromUtf8) },
    };
}
