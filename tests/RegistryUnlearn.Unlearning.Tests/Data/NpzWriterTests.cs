using System.Text;
using RegistryUnlearn.Unlearning.Data;

namespace RegistryUnlearn.Unlearning.Tests.Data;

public class NpzWriterTests
{
    [Fact]
    public void Stores_exactly_the_bytes_that_NumPy_writes()
    {
        var bytes = Written(npz => npz.Add<short>("a/b.c", [1, 3], [1, 2, 3]));

        // numpy.lib.format.write_array(file, numpy.array([[1, 2, 3]], '<i2'), version=(1, 0))
        var header = "\u0093NUMPY\u0001\0v\0{'descr': '<i2', 'fortran_order': False, 'shape': (1, 3), }".PadRight(127) + "\n";
        Assert.True(bytes.AsSpan().IndexOf(Encoding.Latin1.GetBytes("a/b.c.npy" + header + "\u0001\0\u0002\0\u0003\0")) > 0);
    }

    [Fact]
    public void Same_arrays_give_the_same_bytes()
    {
        static void Fill(NpzWriter npz)
        {
            npz.Add<float>("x", [2], [1, 2]);
            npz.Add(NpyArray.OfStrings("id", ["a", "bc"]));
        }

        Assert.Equal(Written(Fill), Written(Fill));
    }

    [Fact]
    public void Reads_back_what_it_wrote()
    {
        var bytes = Written(npz =>
        {
            npz.Add<double>("scalar", [], [Math.PI]);
            npz.Add<Half>("half", [1, 2], [(Half)1.5, Half.MaxValue]);
            npz.Add<bool>("flags", [3], [true, false, true]);
            npz.Add<sbyte>("none", [0, 5], []);
            npz.Add(NpyArray.OfStrings("id", ["", "Zoë", "😀 x"]));
            npz.Add(NpyArray.Of<byte>("u8", [2, 2], [0, 1, 254, 255]));
        });
        using var npz = new NpzReader(new MemoryStream(bytes), "memory");

        Assert.Equal(["scalar", "half", "flags", "none", "id", "u8"], npz.Names);
        Assert.Equal([Math.PI], npz.Read("scalar").Values<double>().ToArray());
        Assert.Empty(npz.Read("scalar").Shape);
        Assert.Equal([1.5f, 65504], npz.Read("half").ToSingles());
        Assert.Equal([true, false, true], npz.Read("flags").Values<bool>().ToArray());
        Assert.Equal([0, 5], npz.Read("none").Shape);
        Assert.Equal(["", "Zoë", "😀 x"], npz.Read("id").ToStrings());
        Assert.Equal([0, 1, 254, 255], npz.Read("u8").ToInt64s());
    }

    [Fact]
    public void Refuses_a_name_used_before_and_a_shape_that_does_not_fit()
    {
        using var npz = new NpzWriter(new MemoryStream());
        npz.Add<float>("x", [1], [1]);

        Assert.Throws<ArgumentException>(() => npz.Add<float>("x", [1], [1]));
        Assert.Throws<ArgumentException>(() => npz.Add<float>("y", [2, 2], [1]));
        Assert.Throws<ArgumentException>(() => npz.Add<char>("z", [1], ['a']));
    }

    [Fact]
    public void Typed_access_names_the_array_and_the_remedy()
    {
        var array = NpyArray.Of<double>("x", [1], [1]);

        Assert.Equal("memory: array 'x': it holds Float64, not Single; save it as Single.",
            Assert.Throws<DataException>(() => array.Values<float>().Length).Message);
        Assert.Throws<DataException>(array.ToInt64s);
        Assert.Throws<DataException>(() => NpyArray.Of<long>("y", [1], [1]).ToSingles());
    }

    static byte[] Written(Action<NpzWriter> write)
    {
        var stream = new MemoryStream();
        using (var npz = new NpzWriter(stream, leaveOpen: true))
            write(npz);
        return stream.ToArray();
    }
}
