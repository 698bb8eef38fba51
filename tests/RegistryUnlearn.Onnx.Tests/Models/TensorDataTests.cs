using Google.Protobuf;
using RegistryUnlearn.Onnx.Models;
using RegistryUnlearn.Onnx.Proto;
using static RegistryUnlearn.Onnx.Proto.TensorProto.Types;

namespace RegistryUnlearn.Onnx.Tests.Models;

public sealed class TensorDataTests
{
    static TensorProto Of(DataType type, byte[] raw, params long[] dims) =>
        new() { Name = "t", DataType = (int)type, Dims = { dims }, RawData = ByteString.CopyFrom(raw) };

    static TensorProto Typed(DataType type, Action<TensorProto> fill, params long[] dims)
    {
        var tensor = new TensorProto { Name = "t", DataType = (int)type, Dims = { dims } };
        fill(tensor);
        return tensor;
    }

    // Bit patterns from IEEE 754 and the bfloat16 definition: 0x3C00 = 1, 0xC000 = -2, 0x0001 = 2^-24 in half; 0x3F80 = 1, 0xC049
    // = -3.140625.
    public static TheoryData<TensorProto, float[]> Floats => new()
    {
        { Of(DataType.Float, [0, 0, 128, 63, 0, 0, 0, 192], 2), [1, -2] },
        { Of(DataType.Float16, [0, 0x3C, 0, 0xC0, 1, 0], 3), [1, -2, 5.9604645e-8f] },
        { Of(DataType.Bfloat16, [0x80, 0x3F, 0x49, 0xC0], 2), [1, -3.140625f] },
        { Of(DataType.Double, [0, 0, 0, 0, 0, 0, 0xF8, 0x3F], 1), [1.5f] },
        { Typed(DataType.Float, t => t.FloatData.Add([1, 2, 3, 4]), 2, 2), [1, 2, 3, 4] },
        { Typed(DataType.Float16, t => t.Int32Data.Add([0x3C00, 0xC000]), 2), [1, -2] },
        { Typed(DataType.Bfloat16, t => t.Int32Data.Add([0x3F80, 0xC049]), 2), [1, -3.140625f] },
        { Typed(DataType.Double, t => t.DoubleData.Add([1.5, -0.25]), 2), [1.5f, -0.25f] },
        { Typed(DataType.Float, t => t.FloatData.Add(7)), [7] },
        { Of(DataType.Float, [], 0, 5), [] },
        { Typed(DataType.Float, _ => { }, 5, 0), [] },
    };

    [Theory]
    [MemberData(nameof(Floats))]
    public void Floats_are_read_from_every_type_and_form(TensorProto tensor, float[] expected)
    {
        var data = Build.Model(tensor).Wrap()["t"];
        Assert.Equal(expected, data.ReadFloats());
        Assert.Equal(expected.Length, data.Count);
        Assert.Equal(tensor.Dims, data.Shape);
    }

    public static TheoryData<TensorProto, long[]> Integers => new()
    {
        { Of(DataType.Int8, [0xFF, 0x7F], 2), [-1, 127] },
        { Of(DataType.Uint8, [0xFF], 1), [255] },
        { Of(DataType.Bool, [1, 0], 2), [1, 0] },
        { Of(DataType.Int16, [0xFE, 0xFF], 1), [-2] },
        { Of(DataType.Uint16, [0xFE, 0xFF], 1), [65534] },
        { Of(DataType.Int32, [0xFD, 0xFF, 0xFF, 0xFF], 1), [-3] },
        { Of(DataType.Uint32, [0xFD, 0xFF, 0xFF, 0xFF], 1), [4294967293] },
        { Of(DataType.Int64, [0xFC, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF], 1), [-4] },
        { Of(DataType.Uint64, [9, 0, 0, 0, 0, 0, 0, 0], 1), [9] },
        { Typed(DataType.Int8, t => t.Int32Data.Add([-1, 127]), 2), [-1, 127] },
        { Typed(DataType.Int16, t => t.Int32Data.Add(-2), 1), [-2] },
        { Typed(DataType.Int32, t => t.Int32Data.Add(-3), 1), [-3] },
        { Typed(DataType.Int64, t => t.Int64Data.Add([-4, 5]), 2), [-4, 5] },
        { Typed(DataType.Uint32, t => t.Uint64Data.Add(4294967293), 1), [4294967293] },
        { Typed(DataType.Uint64, t => t.Uint64Data.Add(9), 1), [9] },
        { Of(DataType.Int64, [], 0), [] },
    };

    [Theory]
    [MemberData(nameof(Integers))]
    public void Integers_are_read_from_every_type_and_form(TensorProto tensor, long[] expected) =>
        Assert.Equal(expected, Build.Model(tensor).Wrap()["t"].ReadInt64s());

    // Elements under 8 bits are packed: three 4-bit elements take two bytes, five 2-bit elements two.
    [Theory]
    [InlineData(DataType.Int4, 3, 2)]
    [InlineData(DataType.Uint4, 4, 2)]
    [InlineData(DataType.Float4E2M1, 1, 1)]
    [InlineData(DataType.Float8E4M3Fn, 2, 2)]
    [InlineData((DataType)25, 5, 2)]
    [InlineData(DataType.Complex64, 1, 8)]
    public void Other_types_are_carried_as_bytes(DataType type, long count, int bytes)
    {
        var raw = Enumerable.Range(1, bytes).Select(i => (byte)i).ToArray();
        Assert.Equal(raw, Build.Model(Of(type, raw, count)).Wrap()["t"].ReadBytes());
        Assert.Throws<OnnxModelException>(() => Build.Model(Of(type, raw, count)).Wrap()["t"].ReadFloats());
        Assert.Throws<OnnxModelException>(() => Build.Model(Of(type, raw, count)).Wrap()["t"].ReadInt64s());
        Assert.Throws<OnnxModelException>(() => Build.Model(Of(type, [.. raw, 0], count)).Wrap());
    }

    [Fact]
    public void Packed_elements_in_int32_data_hold_one_byte_each() =>
        Assert.Equal([0x21, 0x03], Build.Model(Typed(DataType.Int4, t => t.Int32Data.Add([0x21, 0x03]), 3)).Wrap()["t"].ReadBytes());

    [Fact]
    public void Strings_are_accepted_and_have_no_bytes()
    {
        var data = Build.Model(Typed(DataType.String, t => t.StringData.Add(ByteString.CopyFromUtf8("a")), 1)).Wrap()["t"];
        Assert.Equal(1, data.Count);
        Assert.Contains("strings have no raw form", Assert.Throws<OnnxModelException>(() => data.ReadBytes()).Message);
    }

    [Fact]
    public void External_regions_are_read_in_parts()
    {
        using var folder = new TempFolder();
        var values = Enumerable.Range(0, 200_000).Select(i => (float)i).ToArray();
        folder.Write("sub/d.bin", [9, 9, 9, 9, .. values.SelectMany(BitConverter.GetBytes)]);
        folder.Write("h.bin", [0, 0x3C, 0, 0xC0]);
        var path = folder.Write("m.onnx", Build.Model(
            Build.External("t", [2, 100_000], "sub/d.bin", 4, 800_000), Build.External("h", [2], "h.bin", type: DataType.Float16)));
        var model = ModelFile.Load(path);
        Assert.Equal(values, model["t"].ReadFloats());
        var part = new float[3];
        model["t"].ReadFloats(150_000, part);
        Assert.Equal([150_000f, 150_001f, 150_002f], part);
        Assert.Equal([1f, -2f], model["h"].ReadFloats());
        Assert.Equal([Path.Combine("sub", "d.bin"), "h.bin"], model.ExternalDataFiles);
        Assert.Throws<ArgumentOutOfRangeException>(() => model["t"].ReadFloats(199_998, new float[3]));
        Assert.Throws<ArgumentOutOfRangeException>(() => model["t"].ReadFloats(-1, new float[1]));

        folder.Write("h.bin", [0, 0x3C]);
        Assert.Contains("ended early", Assert.Throws<OnnxModelException>(() => model["h"].ReadFloats()).Message);
    }

    [Fact]
    public void Constant_nodes_are_tensors_too()
    {
        var model = Build.Model(
            Build.Node("Constant -> a", Build.Tensor("value", Build.Raw("", [2], 1, 2))),
            Build.Node("Constant -> b", new AttributeProto { Name = "value_float", F = 3 }),
            Build.Node("Constant -> c", new AttributeProto { Name = "value_floats", Floats = { 4, 5, 6 } }),
            Build.Node("Constant -> d", new AttributeProto { Name = "value_int", I = 3 }),
            Build.Raw("w", [1], 7)).Wrap();
        Assert.Equal(["w", "a", "b", "c"], model.Tensors.Select(t => t.Name));
        Assert.Equal([1f, 2f], model["a"].ReadFloats());
        Assert.Equal([3f], model["b"].ReadFloats());
        Assert.Empty(model["b"].Shape);
        Assert.Equal([4f, 5f, 6f], model["c"].ReadFloats());
        Assert.Equal([0, 0, 64, 64], model["b"].ReadBytes());
        Assert.Equal([false, true, true, true], model.Tensors.Select(t => t.IsConstantNode));
    }

    [Theory]
    [InlineData(float.NaN, "initializer 't': element 70001 is NaN")]
    [InlineData(float.PositiveInfinity, "initializer 't': element 70001 is infinite")]
    [InlineData(float.NegativeInfinity, "initializer 't': element 70001 is infinite")]
    public void Values_that_are_not_finite_are_named_by_index(float value, string expected)
    {
        var values = new float[80_000];
        var tensor = Build.Raw("t", [80_000], values);
        Build.Model(tensor).Wrap()["t"].RequireFinite();
        values[70_001] = value;
        values[79_999] = value;
        var data = Build.Model(Build.Raw("t", [80_000], values)).Wrap()["t"];
        Assert.Contains(expected, Assert.Throws<OnnxModelException>(data.RequireFinite).Message);
    }
}
