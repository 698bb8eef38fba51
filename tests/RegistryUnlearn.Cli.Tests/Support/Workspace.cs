using System.Runtime.InteropServices;
using System.Text.Json;
using Google.Protobuf;
using RegistryUnlearn.Onnx.Proto;
using RegistryUnlearn.Unlearning.Data;

namespace RegistryUnlearn.Cli.Tests.Support;

/// <summary>A folder of small models and batches that goes away with the test, and the command run in it.</summary>
sealed class Workspace : IDisposable
{
    readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("registry-unlearn-cli-");

    public string this[string name] => Path.Combine(folder.FullName, name);

    public string[] Files =>
        [.. Directory.EnumerateFileSystemEntries(folder.FullName).Select(f => Path.GetFileName(f)).Order(StringComparer.Ordinal)];

    /// <summary>Runs a command line in which {name} stands for a path in this folder; outputs are given without the folder.</summary>
    public async Task<Outcome> RunAsync(string commandLine, CancellationToken? cancellation = null)
    {
        using StringWriter output = new() { NewLine = "\n" }, error = new() { NewLine = "\n" };
        string[] args = [.. commandLine.Split(' ', StringSplitOptions.RemoveEmptyEntries)
            .Select(a => a.Replace("{", folder.FullName + "/").Replace("}", ""))];
        var code = await new CommandLine(new(output, error), TimeProvider.System)
            .RunAsync(args, cancellation ?? TestContext.Current.CancellationToken);
        return new(code, Local(output), Local(error));

        string Local(StringWriter writer) => writer.ToString().Replace(folder.FullName + "/", "");
    }

    public Workspace Write(string name, string text)
    {
        File.WriteAllText(this[name], text);
        return this;
    }

    public Workspace Write(string name, ModelProto model)
    {
        File.WriteAllBytes(this[name], model.ToByteArray());
        return this;
    }

    public Workspace Write(string name, params NpyArray[] arrays)
    {
        using var stream = File.Create(this[name]);
        using var npz = new NpzWriter(stream);
        foreach (var array in arrays) npz.Add(array);
        return this;
    }

    public IReadOnlyDictionary<string, NpyArray> Read(string name) => NpzReader.ReadAll(this[name]);

    public void Dispose() => folder.Delete(recursive: true);
}

/// <param name="Output">Standard output.</param>
/// <param name="Error">Standard error.</param>
sealed record Outcome(int Code, string Output, string Error)
{
    /// <summary>Standard output as the single JSON document it must be.</summary>
    public JsonElement Json() => JsonDocument.Parse(Output).RootElement;
}

/// <summary>Arrays and models, spelled out.</summary>
static class Make
{
    public static NpyArray Floats(string name, long[] shape, params float[] values) => NpyArray.Of<float>(name, shape, values);

    public static NpyArray Longs(string name, long[] shape, params long[] values) => NpyArray.Of<long>(name, shape, values);

    /// <summary>logits = x · Wᵀ + b with 2 features and 3 classes.</summary>
    public static ModelProto Linear(float[]? weights = null, string batch = "N", string output = "logits")
    {
        var model = Model(Value("x", batch, "2"), Value(output, batch, "3"), Node("Gemm", ["x", "w", "b"], "logits", ("transB", 1)));
        model.Graph.Initializer.Add(Tensor("w", [3, 2], weights ?? new float[6]));
        model.Graph.Initializer.Add(Tensor("b", [3], new float[3]));
        return model;
    }

    public static ModelProto Model(ValueInfoProto input, ValueInfoProto output, params NodeProto[] nodes) => new()
    {
        IrVersion = 8,
        OpsetImport = { new OperatorSetIdProto { Version = 17 } },
        Graph = new GraphProto { Name = "g", Input = { input }, Output = { output }, Node = { nodes } },
    };

    public static NodeProto Node(string op, string[] inputs, string output, params (string Name, long Value)[] attributes) => new()
    {
        OpType = op,
        Name = op.ToLowerInvariant(),
        Input = { inputs },
        Output = { output },
        Attribute =
        {
            attributes.Select(a => new AttributeProto { Name = a.Name, I = a.Value, Type = AttributeProto.Types.AttributeType.Int }),
        },
    };

    /// <summary>A float value; a dimension is a number or a symbol.</summary>
    public static ValueInfoProto Value(string name, params string[] dims)
    {
        var tensor = new TypeProto.Types.Tensor { ElemType = (int)TensorProto.Types.DataType.Float, Shape = new TensorShapeProto() };
        foreach (var dim in dims)
            tensor.Shape.Dim.Add(long.TryParse(dim, out var size)
                ? new TensorShapeProto.Types.Dimension { DimValue = size } : new TensorShapeProto.Types.Dimension { DimParam = dim });
        return new ValueInfoProto { Name = name, Type = new TypeProto { TensorType = tensor } };
    }

    public static TensorProto Tensor(string name, long[] dims, float[] values) => new()
    {
        Name = name,
        DataType = (int)TensorProto.Types.DataType.Float,
        Dims = { dims },
        RawData = ByteString.CopyFrom(MemoryMarshal.AsBytes(values.AsSpan())),
    };
}
