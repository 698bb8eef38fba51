using System.Runtime.InteropServices;
using Google.Protobuf;
using RegistryUnlearn.Onnx.Models;
using RegistryUnlearn.Onnx.Proto;
using static RegistryUnlearn.Onnx.Proto.TensorProto.Types;

namespace RegistryUnlearn.Onnx.Tests.Models;

/// <summary>Small models, spelled out.</summary>
static class Build
{
    public static ModelProto Model(params IMessage[] parts)
    {
        var opset = new OperatorSetIdProto { Version = 17 };
        var model = new ModelProto { IrVersion = 8, Graph = new GraphProto { Name = "g" }, OpsetImport = { opset } };
        foreach (var part in parts)
        {
            switch (part)
            {
                case NodeProto node: model.Graph.Node.Add(node); break;
                case TensorProto tensor: model.Graph.Initializer.Add(tensor); break;
            }
        }
        return model;
    }

    /// <summary>Adds float inputs and outputs; a dimension is a number or a symbol, as in "x: N, 3".</summary>
    public static ModelProto With(this ModelProto model, string input, string output)
    {
        model.Graph.Input.Add(Value(input));
        model.Graph.Output.Add(Value(output));
        return model;
    }

    public static ModelProto Importing(this ModelProto model, string domain)
    {
        model.OpsetImport.Add(new OperatorSetIdProto { Domain = domain, Version = 1 });
        return model;
    }

    public static ValueInfoProto Value(string text, DataType type = DataType.Float)
    {
        var (name, dims) = (text.Split(':')[0], text.Split(':')[1]);
        var tensor = new TypeProto.Types.Tensor { ElemType = (int)type, Shape = new TensorShapeProto() };
        foreach (var dim in dims.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            tensor.Shape.Dim.Add(long.TryParse(dim, out var size)
                ? new TensorShapeProto.Types.Dimension { DimValue = size }
                : new TensorShapeProto.Types.Dimension { DimParam = dim });
        }
        return new ValueInfoProto { Name = name, Type = new TypeProto { TensorType = tensor } };
    }

    /// <summary>A node written as "Conv x w b -> y"; "_" is an absent input. Its name is its first output in upper case.</summary>
    public static NodeProto Node(string text, params AttributeProto[] attributes)
    {
        var words = text.Split(' ');
        var arrow = Array.IndexOf(words, "->");
        return new NodeProto
        {
            OpType = words[0],
            Name = words[arrow + 1].ToUpperInvariant(),
            Input = { words[1..arrow].Select(w => w == "_" ? "" : w) },
            Output = { words[(arrow + 1)..] },
            Attribute = { attributes },
        };
    }

    public static TensorProto Raw(string name, long[] dims, params float[] values) => new()
    {
        Name = name,
        DataType = (int)DataType.Float,
        Dims = { dims },
        RawData = ByteString.CopyFrom(MemoryMarshal.AsBytes(values.AsSpan())),
    };

    /// <summary>Floats that look learned: 0.1, 0.2, ... over the given shape.</summary>
    public static TensorProto Learned(string name, params long[] dims) =>
        Raw(name, dims, [.. Enumerable.Range(1, (int)dims.Aggregate(1L, (a, b) => a * b)).Select(i => i / 10f)]);

    public static TensorProto Integers(string name, params long[] values) =>
        new() { Name = name, DataType = (int)DataType.Int64, Dims = { values.Length }, Int64Data = { values } };

    public static TensorProto External(string name, long[] dims, string location, long? offset = null, long? length = null,
        DataType type = DataType.Float)
    {
        var tensor = new TensorProto { Name = name, DataType = (int)type, Dims = { dims }, DataLocation = DataLocation.External };
        tensor.ExternalData.Add(new StringStringEntryProto { Key = "location", Value = location });
        if (offset is not null) tensor.ExternalData.Add(new StringStringEntryProto { Key = "offset", Value = $"{offset}" });
        if (length is not null) tensor.ExternalData.Add(new StringStringEntryProto { Key = "length", Value = $"{length}" });
        return tensor;
    }

    public static AttributeProto Tensor(string name, TensorProto tensor) =>
        new() { Name = name, Type = AttributeProto.Types.AttributeType.Tensor, T = tensor };

    public static ModelFile Wrap(this ModelProto model) => ModelFile.Wrap(model, "model.onnx");
}

/// <summary>A folder that goes away with the test.</summary>
sealed class TempFolder : IDisposable
{
    readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("registry-unlearn-");

    public string this[string name] => Path.Combine(folder.FullName, name);

    public string Write(string name, byte[] bytes)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(this[name])!);
        File.WriteAllBytes(this[name], bytes);
        return this[name];
    }

    public string Write(string name, ModelProto model) => Write(name, model.ToByteArray());

    /// <summary>Relative paths of all files below a folder, sorted.</summary>
    public string[] Files(string name) =>
        [.. Directory.EnumerateFiles(this[name], "*", SearchOption.AllDirectories)
            .Select(f => Path.GetRelativePath(this[name], f)).Order(StringComparer.Ordinal)];

    public void Dispose() => folder.Delete(recursive: true);
}
