using System.IO.Compression;
using Google.Protobuf;
using RegistryUnlearn.Onnx.Models;
using RegistryUnlearn.Onnx.Proto;
using static RegistryUnlearn.Onnx.Proto.TensorProto.Types;

namespace RegistryUnlearn.Onnx.Tests.Models;

public sealed class ModelFileLoadTests : IDisposable
{
    readonly TempFolder folder = new();

    public void Dispose() => folder.Dispose();

    static ModelProto Small() => Build.Model(
        Build.Node("Gemm x w b -> y"), Build.Raw("w", [3, 2], 1, 2, 3, 4, 5, 6), Build.Raw("b", [2], 7, 8)).With("x: N, 3", "y: N, 2");

    static byte[] Zip()
    {
        using var stream = new MemoryStream();
        using (var zip = new ZipArchive(stream, ZipArchiveMode.Create, leaveOpen: true)) zip.CreateEntry("model.onnx");
        return stream.ToArray();
    }

    public static TheoryData<string, byte[], string> NotOnnx => new()
    {
        { "empty", [], "file: is empty" },
        { "zip", Zip(), "is a zip archive. Unpack it" },
        { "gzip", [0x1F, 0x8B, 8, 0], "is compressed by gzip" },
        { "hdf5", [0x89, .. "HDF\r\n\u001a\n"u8], "is an HDF5 file" },
        { "ort", [24, 0, 0, 0, .. "ORTM"u8, 0, 0], "ORT format" },
        { "lfs", [.. "version https://git-lfs.github.com/spec/v1\n"u8], "git lfs pull" },
        { "html", [.. "<html><body>404</body></html>"u8], "is a text file" },
        { "json", [.. "{\"a\": 1}"u8], "is a text file" },
        { "text", [.. "hello, this is no model\n"u8], "ir_version: is missing. This is not an ONNX model" },
        { "zeros", new byte[64], "is not an ONNX model or is damaged" },
        { "truncated", Small().ToByteArray()[..40], "is not an ONNX model or is damaged" },
        { "endless length", [0x3A, 0xFF, 0xFF, 0xFF, 0xFF, 0x07, 1, 2], "is not an ONNX model or is damaged" },
        { "another message", new TensorProto { DataType = 1 }.ToByteArray(), "ir_version: is missing" },
        { "nested too deep", Nested(60), "is not an ONNX model or is damaged" },
    };

    // Model -> graph -> node -> attribute -> graph -> ...: three messages for each level.
    static byte[] Nested(int levels)
    {
        var graph = new GraphProto();
        for (var i = 0; i < levels; i++)
        {
            var branch = new AttributeProto { Name = "then_branch", G = graph };
            graph = new GraphProto { Node = { new NodeProto { OpType = "If", Attribute = { branch } } } };
        }
        return new ModelProto { IrVersion = 8, Graph = graph, OpsetImport = { new OperatorSetIdProto { Version = 17 } } }.ToByteArray();
    }

    [Theory]
    [MemberData(nameof(NotOnnx))]
    public void A_file_that_is_no_model_is_refused_with_its_name(string name, byte[] bytes, string expected)
    {
        var path = folder.Write($"{name}.onnx", bytes);
        var error = Assert.Throws<OnnxModelException>(() => ModelFile.Load(path));
        Assert.StartsWith($"{path}: ", error.Message);
        Assert.Contains(expected, error.Message);
    }

    [Fact]
    public void A_missing_file_and_a_folder_are_refused()
    {
        Assert.Contains("does not exist", Assert.Throws<OnnxModelException>(() => ModelFile.Load(folder["absent.onnx"])).Message);
        Assert.Contains("does not exist", Assert.Throws<OnnxModelException>(() => ModelFile.Load(folder["no/such/folder.onnx"])).Message);
        Directory.CreateDirectory(folder["sub.onnx"]);
        Assert.Throws<OnnxModelException>(() => ModelFile.Load(folder["sub.onnx"]));
    }

    [Fact]
    public void A_file_above_2_GB_is_refused_before_it_is_read()
    {
        var path = folder["huge.onnx"];
        using (var handle = File.OpenHandle(path, FileMode.Create, FileAccess.Write)) RandomAccess.SetLength(handle, 1L << 31);
        var error = Assert.Throws<OnnxModelException>(() => ModelFile.Load(path));
        Assert.Contains("2147483648 bytes, above the 2 GB limit", error.Message);
        Assert.Contains("external data", error.Remedy);
    }

    [Fact]
    public void Damage_anywhere_either_loads_or_is_refused()
    {
        var good = Small();
        good.Graph.Initializer.Add(new TensorProto { Name = "f", DataType = 1, Dims = { 2 }, FloatData = { 1, 2 } });
        good.Graph.Node[0].DocString = "doc";
        var bytes = good.ToByteArray();
        var random = new Random(1);
        var refused = 0;
        for (var i = 0; i < 3000; i++)
        {
            var damaged = i < bytes.Length ? bytes[..i] : [.. bytes];
            for (var flips = i < bytes.Length ? 0 : random.Next(1, 4); flips > 0; flips--)
                damaged[random.Next(damaged.Length)] ^= (byte)(1 << random.Next(8));
            var path = folder.Write("damaged.onnx", damaged);
            try
            {
                Assert.NotNull(ModelFile.Load(path).Model.Graph);
            }
            catch (OnnxModelException)
            {
                refused++;
            }
        }
        Assert.InRange(refused, 500, 2999);
    }

    public static TheoryData<string, Action<ModelProto>, string> BadHeaders => new()
    {
        { "no ir", m => m.ClearIrVersion(), "ir_version: is missing" },
        { "no graph", m => m.Graph = null, "graph: is missing" },
        { "no opset", m => m.OpsetImport.Clear(), "opset_import: is missing" },
        { "opset twice", m => m.OpsetImport.Add(new OperatorSetIdProto { Domain = "ai.onnx", Version = 18 }), "names domain '' twice" },
        { "opset 0", m => m.OpsetImport[0].Version = 0, "gives domain '' version 0" },
        { "no op_type", m => m.Graph.Node[0].ClearOpType(), "node 'Y' (): has no op_type" },
        { "no name", m => m.Graph.Initializer[1].ClearName(), "initializer 1: has no name" },
        { "twice", m => m.Graph.Initializer[1].Name = "w", "initializer 'w': appears twice" },
        { "sparse twice", m => m.Graph.SparseInitializer.Add(new SparseTensorProto { Values = Build.Raw("w", [0]) }),
            "sparse initializer 'w': appears twice" },
        { "constant too", m => m.Graph.Node.Add(Build.Node("Constant -> w", Build.Tensor("value", Build.Raw("", [1], 1)))), "same name" },
        { "negative dim", m => m.Graph.Initializer[0].Dims[0] = -1, "initializer 'w': dims holds -1" },
        { "overflow", m => m.Graph.Initializer[0].Dims.Add([1L << 40, 1L << 40]), "exceed 2^63 bytes" },
        { "overflow in bytes", m => m.Graph.Initializer[0].Dims.Add([1L << 60]), "exceed 2^63 bytes" },
        { "type 99", m => m.Graph.Initializer[0].DataType = 99, "data_type 99 is not an ONNX element type" },
        { "type 0", m => m.Graph.Initializer[0].DataType = 0, "data_type 0" },
        { "segment", m => m.Graph.Initializer[0].Segment = new Segment { Begin = 0, End = 1 }, "segments" },
        { "raw short", m => m.Graph.Initializer[0].RawData = ByteString.CopyFrom(1, 2, 3),
            "raw_data has 3 bytes but dims [3, 2] of FLOAT need 24" },
        { "no data", m => m.Graph.Initializer[0].ClearRawData(), "float_data has 0 entries but dims [3, 2] of FLOAT need 6" },
        { "both", m => m.Graph.Initializer[0].FloatData.Add(1), "more than one place" },
        { "wrong field", m => { m.Graph.Initializer[0].ClearRawData(); m.Graph.Initializer[0].Int64Data.Add(1); },
            "float_data has 0 entries" },
        { "extra field", m => { var t = m.Graph.Initializer[0]; t.ClearRawData(); t.FloatData.Add(new float[6]); t.Int64Data.Add(1); },
            "outside float_data" },
        { "raw string", m => m.Graph.Initializer[0].DataType = (int)DataType.String, "strings outside string_data" },
        { "attribute", m => m.Graph.Node[0].Attribute.Add(Build.Tensor("t", Build.Raw("", [2], 1))),
            "node 'Y' (Gemm) attribute 't': raw_data has 4 bytes" },
        { "nested", m => m.Graph.Node[0].Attribute.Add(new AttributeProto { Name = "body",
            G = new GraphProto { Initializer = { Build.Raw("q", [9], 1) } } }),
            "attribute 'body': initializer 'q': raw_data" },
        { "function", m => m.Functions.Add(new FunctionProto { Name = "F",
            Node = { Build.Node("Constant -> c", Build.Tensor("value", Build.Raw("", [9], 1))) } }),
            "function 'F': node 'C' (Constant) attribute 'value'" },
    };

    [Theory]
    [MemberData(nameof(BadHeaders))]
    public void An_inconsistent_model_is_refused_with_the_element(string name, Action<ModelProto> damage, string expected)
    {
        var model = Small();
        damage(model);
        var path = folder.Write("bad.onnx", model);
        var error = Assert.Throws<OnnxModelException>(() => ModelFile.Load(path));
        Assert.True(error.Message.Contains(expected), $"{name}: {error.Message}");
        Assert.EndsWith(error.Remedy, error.Message);
    }

    public static TheoryData<string, TensorProto, string> BadExternalData => new()
    {
        { "absolute", Build.External("w", [2], "/etc/passwd"), "location '/etc/passwd' is absolute" },
        { "backslash root", Build.External("w", [2], @"\\server\share"), "is absolute" },
        { "drive", Build.External("w", [2], @"C:\data.bin"), "is absolute" },
        { "parent", Build.External("w", [2], "../data.bin"), "contains '..'" },
        { "parent within", Build.External("w", [2], "sub/../data.bin"), "contains '..'" },
        { "parent by backslash", Build.External("w", [2], @"..\data.bin"), "contains '..'" },
        { "empty", Build.External("w", [2], ""), "is empty or holds a NUL" },
        { "NUL", Build.External("w", [2], "a\0b"), "is empty or holds a NUL" },
        { "none", new TensorProto { Name = "w", DataType = 1, Dims = { 2 }, DataLocation = DataLocation.External }, "has no location" },
        { "itself", Build.External("w", [2], "./m.onnx"), "is the model file itself" },
        { "missing", Build.External("w", [2], "absent.bin"), "'absent.bin' is missing. Put it into" },
        { "folder", Build.External("w", [2], "sub"), "'sub' is missing" },
        { "beyond", Build.External("w", [2], "data.bin", 12), "asks for bytes 12 to 20 of 'data.bin', which has 16" },
        { "far beyond", Build.External("w", [2], "data.bin", long.MaxValue), "which has 16" },
        { "too short", Build.External("w", [5], "data.bin"), "asks for bytes 0 to 20" },
        { "negative offset", Build.External("w", [2], "data.bin", -4), "offset '-4' is not a number" },
        { "negative length", Build.External("w", [2], "data.bin", 0, -8), "length '-8' is not a number" },
        { "other length", Build.External("w", [2], "data.bin", 0, 12), "length 12 is not the 8 bytes" },
        { "link out", Build.External("w", [2], "link.bin"), "is a link that leaves the model's folder" },
        { "link folder out", Build.External("w", [2], "linked/secret.bin"), "is a link that leaves the model's folder" },
    };

    [Theory]
    [MemberData(nameof(BadExternalData))]
    public void External_data_that_is_not_safely_there_is_refused(string name, TensorProto tensor, string expected)
    {
        folder.Write("model/data.bin", new byte[16]);
        folder.Write("elsewhere/secret.bin", new byte[16]);
        Directory.CreateDirectory(folder["model/sub"]);
        File.CreateSymbolicLink(folder["model/link.bin"], "../elsewhere/secret.bin");
        Directory.CreateSymbolicLink(folder["model/linked"], folder["elsewhere"]);
        var path = folder.Write("model/m.onnx", Build.Model(tensor));
        var error = Assert.Throws<OnnxModelException>(() => ModelFile.Load(path));
        Assert.True(error.Message.Contains(expected), $"{name}: {error.Message}");
        Assert.Equal("initializer 'w'", error.Element);
    }

    [Fact]
    public void A_link_that_stays_within_the_folder_is_followed()
    {
        folder.Write("model/blobs/data.bin", [0, 0, 128, 63]);
        File.CreateSymbolicLink(folder["model/data.bin"], "blobs/data.bin");
        var path = folder.Write("model/m.onnx", Build.Model(Build.External("w", [1], "data.bin")));
        Assert.Equal([1f], ModelFile.Load(path)["w"].ReadFloats());
    }

    [Fact]
    public void An_unknown_tensor_name_is_refused_with_the_names_there_are()
    {
        var error = Assert.Throws<OnnxModelException>(() => Small().Wrap()["W"]);
        Assert.Contains("initializer 'W': the model has none of this name. Choose one of its 2, such as 'w', 'b'", error.Message);
    }

    [Fact]
    public void What_is_not_understood_survives_a_round_trip()
    {
        // Field 1000 of the model and field 900 of a node exist in no ONNX version.
        byte[] unknown = [0xC2, 0x3E, 3, 1, 2, 3];
        var node = NodeProto.Parser.ParseFrom([.. Build.Node("Gemm x w b -> y").ToByteArray(), 0xA0, 0x38, 7]);
        var model = Small();
        model.Graph.Node[0] = node;
        byte[] bytes = [.. model.ToByteArray(), .. unknown];
        var path = folder.Write("m.onnx", bytes);
        ModelFile.Write(ModelFile.Load(path).Model, folder["copy.onnx"]);
        Assert.Equal(bytes, File.ReadAllBytes(folder["copy.onnx"]));
        Assert.Equal(["copy.onnx", "m.onnx"], folder.Files(""));
    }
}
