using System.Security.Cryptography;
using Google.Protobuf;
using RegistryUnlearn.Onnx.Models;
using RegistryUnlearn.Onnx.Proto;

namespace RegistryUnlearn.Onnx.Tests.Models;

public sealed class SaveWithParametersTests : IDisposable
{
    static readonly Dictionary<string, string> NoMetadata = [];

    readonly TempFolder folder = new();

    public void Dispose() => folder.Dispose();

    static Dictionary<string, ReadOnlyMemory<float>> Values(params (string Name, float[] Values)[] entries) =>
        entries.ToDictionary(e => e.Name, e => (ReadOnlyMemory<float>)e.Values);

    static ModelProto EveryForm() => Build.Model(
        Build.Node("Gemm x raw typed -> y"),
        Build.Node("Constant -> c1", Build.Tensor("value", Build.Raw("inner", [2], 1, 2))),
        Build.Node("Constant -> c2", new AttributeProto { Name = "value_float", F = 3 }),
        Build.Node("Constant -> c3", new AttributeProto { Name = "value_floats", Floats = { 4, 5 } }),
        Build.Raw("raw", [2, 2], 1, 2, 3, 4),
        new TensorProto { Name = "typed", DataType = 1, Dims = { 2 }, FloatData = { 5, 6 }, DocString = "kept" },
        new TensorProto { Name = "half", DataType = 10, Dims = { 2 }, Int32Data = { 0x3C00, 0x3C00 } },
        new TensorProto { Name = "brain", DataType = 16, Dims = { 1 }, RawData = ByteString.CopyFrom(0x80, 0x3F) },
        new TensorProto { Name = "double", DataType = 11, Dims = { 1 }, DoubleData = { 0.1 } },
        Build.Integers("shape", 1, 2)).With("x: N, 2", "y: N, 2");

    [Fact]
    public void Only_the_given_tensors_and_metadata_change_and_every_form_is_kept()
    {
        var original = EveryForm();
        original.Graph.Input.Add(Build.Value("raw: 2, 2"));
        original.IrVersion = 3;
        original.DocString = "a model";
        original.MetadataProps.Add(new StringStringEntryProto { Key = "author", Value = "them" });
        original.MetadataProps.Add(new StringStringEntryProto { Key = "job", Value = "old" });
        original.MetadataProps.Add(new StringStringEntryProto { Key = "license", Value = "MIT" });
        original.MetadataProps.Add(new StringStringEntryProto { Key = "job", Value = "older" });
        var source = ModelFile.Load(folder.Write("in/m.onnx", original));

        source.SaveWithParameters(folder["out"],
            Values(("raw", [9, 8, 7, 6]), ("typed", [-1, -2]), ("half", [1, -2]), ("brain", [-3.14f]), ("double", [0.5f]),
                ("c1", [11, 12]), ("c2", [13]), ("c3", [14, 15])),
            new Dictionary<string, string> { ["z.new"] = "2", ["job"] = "new", ["a.new"] = "1" });

        var expected = original.Clone();
        expected.Graph.Initializer[0].RawData = Build.Raw("", [4], 9, 8, 7, 6).RawData;
        expected.Graph.Initializer[1].FloatData[0] = -1;
        expected.Graph.Initializer[1].FloatData[1] = -2;
        expected.Graph.Initializer[2].Int32Data[1] = 0xC000;
        expected.Graph.Initializer[3].RawData = ByteString.CopyFrom(0x49, 0xC0);
        expected.Graph.Initializer[4].DoubleData[0] = 0.5;
        expected.Graph.Node[1].Attribute[0].T.RawData = Build.Raw("", [2], 11, 12).RawData;
        expected.Graph.Node[2].Attribute[0].F = 13;
        expected.Graph.Node[3].Attribute[0].Floats[0] = 14;
        expected.Graph.Node[3].Attribute[0].Floats[1] = 15;
        expected.MetadataProps[1].Value = "new";
        expected.MetadataProps[3].Key = "a.new";
        expected.MetadataProps[3].Value = "1";
        expected.MetadataProps.Add(new StringStringEntryProto { Key = "z.new", Value = "2" });
        Assert.Equal(expected, ModelProto.Parser.ParseFrom(File.ReadAllBytes(folder["out/m.onnx"])));
        Assert.Equal(["m.onnx"], folder.Files("out"));
        Assert.Equal(original, source.Model);
    }

    [Fact]
    public void Nothing_to_change_gives_the_same_bytes_and_so_does_a_second_run()
    {
        var path = folder.Write("in/m.onnx", EveryForm());
        var values = Values(("raw", [9, 8, 7, 6]));
        ModelFile.Load(path).SaveWithParameters(folder["same"], Values(), NoMetadata);
        ModelFile.Load(path).SaveWithParameters(folder["a"], values, NoMetadata);
        ModelFile.Load(path).SaveWithParameters(folder["b"], values, NoMetadata);
        ModelFile.Load(path).SaveWithParameters(folder["b"], values, NoMetadata);
        Assert.Equal(File.ReadAllBytes(path), File.ReadAllBytes(folder["same/m.onnx"]));
        Assert.Equal(File.ReadAllBytes(folder["a/m.onnx"]), File.ReadAllBytes(folder["b/m.onnx"]));
        Assert.NotEqual(File.ReadAllBytes(path), File.ReadAllBytes(folder["a/m.onnx"]));
    }

    static byte[] Bytes(params float[] values) => [.. values.SelectMany(BitConverter.GetBytes)];

    [Fact]
    public void External_data_keeps_its_files_offsets_and_other_bytes()
    {
        folder.Write("in/w.bin", [1, 2, 3, .. Bytes(1, 2), 4, 5, .. Bytes(3), 6]);
        folder.Write("in/sub/other.bin", Bytes(7, 8));
        var checksummed = Build.External("v", [1], "w.bin", 13, 4);
        checksummed.ExternalData.Add(new StringStringEntryProto { Key = "checksum", Value = "stale" });
        var path = folder.Write("in/m.onnx",
            Build.Model(Build.External("w", [2], "./w.bin", 3), checksummed, Build.External("o", [2], "sub/other.bin")));

        ModelFile.Load(path).SaveWithParameters(folder["out"], Values(("w", [-1, -2]), ("v", [-3])), NoMetadata);

        byte[] expected = [1, 2, 3, .. Bytes(-1, -2), 4, 5, .. Bytes(-3), 6];
        Assert.Equal(expected, File.ReadAllBytes(folder["out/w.bin"]));
        Assert.Equal(Bytes(7, 8), File.ReadAllBytes(folder["out/sub/other.bin"]));
        Assert.Equal(["m.onnx", Path.Combine("sub", "other.bin"), "w.bin"], folder.Files("out"));
        var saved = ModelFile.Load(folder["out/m.onnx"]);
        Assert.Equal([-1f, -2f], saved["w"].ReadFloats());
        Assert.Equal(saved.Model.Graph.Initializer[0], ModelFile.Load(path).Model.Graph.Initializer[0]);
        Assert.Equal(Convert.ToHexStringLower(SHA1.HashData(expected)), saved.Model.Graph.Initializer[1].ExternalData[^1].Value);
        Assert.Equal([1f, 2f], ModelFile.Load(path)["w"].ReadFloats());
    }

    public static TheoryData<string, float[]?, float[]?, float[]?, bool> Shared => new()
    {
        // a and b are the same eight bytes; c is the second half of them and four bytes more.
        { "both the same", [5, 6], [5, 6], [6, 9], true },
        { "different", [5, 6], [5, 7], null, false },
        { "one only, changed", [5, 2], null, null, false },
        { "one only, the same as stored", [1, 2], null, null, true },
        { "part changed under another", [1, 6], [1, 6], null, false },
        { "part changed by another", null, null, [6, 9], false },
        { "part beyond the others changed", null, null, [2, 9], true },
    };

    [Theory]
    [MemberData(nameof(Shared))]
    public void Shared_bytes_must_agree(string name, float[]? a, float[]? b, float[]? c, bool agrees)
    {
        folder.Write("in/w.bin", Bytes(1, 2, 3));
        var path = folder.Write("in/m.onnx", Build.Model(
            Build.External("a", [2], "w.bin"), Build.External("b", [2], "w.bin", 0, 8), Build.External("c", [2], "w.bin", 4)));
        var values = Values([.. new[] { ("a", a), ("b", b), ("c", c) }.Where(v => v.Item2 is not null).Select(v => (v.Item1, v.Item2!))]);
        if (agrees)
        {
            ModelFile.Load(path).SaveWithParameters(folder["out"], values, NoMetadata);
            var saved = ModelFile.Load(folder["out/m.onnx"]);
            foreach (var (tensor, expected) in values) Assert.Equal(expected.ToArray(), saved[tensor].ReadFloats());
            return;
        }
        var error = Assert.Throws<OnnxModelException>(() => ModelFile.Load(path).SaveWithParameters(folder["out"], values, NoMetadata));
        Assert.True(error.Message.Contains("shares bytes of 'w.bin'"), $"{name}: {error.Message}");
        Assert.Empty(folder.Files("out"));
    }

    public static TheoryData<string, string, float[], string> Refused => new()
    {
        { "unknown", "nobody", [1], "initializer 'nobody': the model has none of this name" },
        { "count", "raw", [1], "1 values were given for the 4 elements of [2, 2]" },
        { "integers", "shape", [1, 2], "INT64 elements are not floats" },
        { "NaN", "raw", [1, 2, float.NaN, 4], "initializer 'raw': element 2 is NaN" },
        { "infinity", "typed", [1, float.NegativeInfinity], "initializer 'typed': element 1 is infinite" },
        { "half range", "half", [1, 65520], "initializer 'half': element 1 is 65520, beyond the range of FLOAT16" },
        { "brain range", "brain", [float.MaxValue], "beyond the range of BFLOAT16" },
    };

    [Theory]
    [MemberData(nameof(Refused))]
    public void Unfit_values_are_refused_and_leave_nothing(string name, string tensor, float[] values, string expected)
    {
        var source = ModelFile.Load(folder.Write("in/m.onnx", EveryForm()));
        var error = Assert.Throws<OnnxModelException>(() => source.SaveWithParameters(folder["out"], Values((tensor, values)), NoMetadata));
        Assert.True(error.Message.Contains(expected), $"{name}: {error.Message}");
        Assert.False(Directory.Exists(folder["out"]) && folder.Files("out").Length > 0);
    }

    [Fact]
    public void The_largest_half_is_kept_and_rounding_is_to_even()
    {
        var source = ModelFile.Load(folder.Write("in/m.onnx", EveryForm()));
        // 1 + 2^-8 lies halfway between the bfloat16 numbers 1 and 1 + 2^-7; 65519 rounds to 65504.
        source.SaveWithParameters(folder["out"], Values(("half", [65519, 1]), ("brain", [1.00390625f])), NoMetadata);
        var saved = ModelFile.Load(folder["out/m.onnx"]);
        Assert.Equal([65504f, 1f], saved["half"].ReadFloats());
        Assert.Equal([1f], saved["brain"].ReadFloats());
    }

    [Fact]
    public void The_models_own_folder_is_refused_also_through_a_link()
    {
        var path = folder.Write("in/m.onnx", EveryForm());
        Directory.CreateSymbolicLink(folder["link"], folder["in"]);
        foreach (var name in new[] { "in", "in/", "in/../in", "link" })
            Assert.Contains("is the model's own folder", Assert.Throws<OnnxModelException>(
                () => ModelFile.Load(path).SaveWithParameters(folder[name], Values(), NoMetadata)).Message);
        Assert.Equal(["m.onnx"], folder.Files("in"));
    }

    [Fact]
    public void A_failure_while_publishing_takes_back_what_was_published()
    {
        folder.Write("in/w.bin", Bytes(1));
        var path = folder.Write("in/m.onnx", Build.Model(Build.External("w", [1], "w.bin")));
        Directory.CreateDirectory(folder["out/m.onnx"]);
        Assert.ThrowsAny<Exception>(() => ModelFile.Load(path).SaveWithParameters(folder["out"], Values(("w", [2])), NoMetadata));
        Assert.Empty(folder.Files("out"));
        Assert.Equal([folder["out/m.onnx"]], Directory.GetDirectories(folder["out"]));
    }

    [Fact]
    public void What_an_interrupted_run_left_is_cleared()
    {
        var path = folder.Write("in/m.onnx", EveryForm());
        folder.Write("out/.registry-unlearn-partial-m.onnx/junk", [1]);
        ModelFile.Load(path).SaveWithParameters(folder["out"], Values(), NoMetadata);
        Assert.Equal(["m.onnx"], folder.Files("out"));
    }

    [Fact]
    public void A_data_file_above_2_GiB_is_copied_and_patched_in_bounded_memory()
    {
        const long filler = (1L << 31) + 4096;
        Directory.CreateDirectory(folder["in"]);
        try
        {
            using var handle = File.OpenHandle(folder["in/big.bin"], FileMode.Create, FileAccess.Write);
            RandomAccess.SetLength(handle, filler + 12);
            RandomAccess.Write(handle, Bytes(1, 2, 3), filler);
        }
        catch (IOException e)
        {
            Assert.Skip($"The disk takes no sparse file of 2 GiB: {e.Message}");
        }
        var path = folder.Write("in/m.onnx",
            Build.Model(Build.External("filler", [filler / 4], "big.bin", 0), Build.External("w", [3], "big.bin", filler, 12)));
        var before = GC.GetAllocatedBytesForCurrentThread();

        ModelFile.Load(path).SaveWithParameters(folder["out"], Values(("w", [4, 5, 6])), NoMetadata);

        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 4 << 20);
        var saved = ModelFile.Load(folder["out/m.onnx"]);
        Assert.Equal([4f, 5f, 6f], saved["w"].ReadFloats());
        var tail = new float[2];
        saved["filler"].ReadFloats((filler / 4) - 2, tail);
        Assert.Equal([0f, 0f], tail);
        Assert.Equal(filler + 12, new FileInfo(folder["out/big.bin"]).Length);
        Assert.Contains("do not fit one array", Assert.Throws<OnnxModelException>(() => saved["filler"].ReadBytes()).Message);
    }
}
