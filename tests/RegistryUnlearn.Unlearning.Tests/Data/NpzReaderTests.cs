using System.IO.Compression;
using System.Text;
using RegistryUnlearn.Unlearning.Data;

namespace RegistryUnlearn.Unlearning.Tests.Data;

public class NpzReaderTests
{
    /// <summary>Written by numpy.savez_compressed of NumPy 1.24: one array for each kind of element and order.</summary>
    const string WrittenByNumPy =
        """
        UEsDBBQAAAAIAAAAIQCkmzzOVQAAAJAAAAAVABQAZ3JhZC9jb252MS53ZWlnaHQubnB5AQAQAJAAAAAAAAAAVQAAAAAAAACb7BfqGxDJyFDGUK2eklqcXKRu
        paBuk2airqOgnpZfVFKUmBefX5SSChJ3S8wpTgWKF2ckFqQC+RpGOgpGmjoKtQpkAy4GhgP2DECCgaHBjoHBwQEAUEsDBBQAAAAIAAAAIQAjuPBsRgAAAIgA
        AAAKABQAc2NhbGFyLm5weQEAEACIAAAAAAAAAEYAAAAAAAAAm+wX6hsQychQxlCtnpJanFykbqWgbpNpoa6joJ6WX1RSlJgXn1+UkgoSd0vMKU4FihdnJBak
        AvkamjoKtQoUAS52BggAAFBLAwQUAAAACAAAACEAwOrC7UoAAACGAAAABQAUAGgubnB5AQAQAIYAAAAAAAAASgAAAAAAAACb7BfqGxDJyFDGUK2eklqcXKRu
        paBuk2akrqOgnpZfVFKUmBefX5SSChJ3S8wpTgWKF2ckFqQC+RrGOpo6CrUKFAAuBhsGi/+/AVBLAwQUAAAACAAAACEAqOlnRlQAAACkAAAABQAUAHUubnB5
        AQAQAKQAAAAAAAAAVAAAAAAAAACb7BfqGxDJyFDGUK2eklqcXKRupaBuE2qsrqOgnpZfVFKUmBefX5SSChJ3S8wpTgWKF2ckFqQC+RrGOpo6CrUKFACuRAYE
        iALifCB+DeJ8Y4SLAwBQSwMEFAAAAAgAAAAhALY18ddIAAAAhAAAAAUAFABzLm5weQEAEACEAAAAAAAAAEgAAAAAAAAAm+wX6hsQychQxlCtnpJanFykbqWg
        XhNspK6joJ6WX1RSlJgXn1+UkgoSd0vMKU4FihdnJBakAvkaRjqaOgq1ChQArsSkZAYAUEsDBBQAAAAIAAAAIQDKZHTiVAAAAJgAAAAFABQAZi5ucHkBABAA
        mAAAAAAAAABUAAAAAAAAAJvsF+obEMnIUMZQrZ6SWpxcpG6loG6TaaKuo6Cell9UUpSYF59flJIKEg8pKk0FChdnJBakArkaRjoKxpo6CrUK5AMuBiBgBmJG
        IGYBYiYgZgViAFBLAwQUAAAACAAAACEA7hm7XUYAAACCAAAACAAUAGZsYWcubnB5AQAQAIIAAAAAAAAARgAAAAAAAACb7BfqGxDJyFDGUK2eklqcXKRupaBe
        k2SorqOgnpZfVFKUmBefX5SSChJ3S8wpTgWKF2ckFqQC+RpGOpo6CrUKFAAuRgYAUEsDBBQAAAAIAAAAIQBY+2D4RgAAAIAAAAAJABQAZW1wdHkubnB5AQAQ
        AIAAAAAAAAAARgAAAAAAAACb7BfqGxDJyFDGUK2eklqcXKRupaBuk2ahrqOgnpZfVFKUmBefX5SSChJ3S8wpTgWKF2ckFqQC+RoGOgrGmjoKtQpkAy4AUEsB
        AhQDFAAAAAgAAAAhAKSbPM5VAAAAkAAAABUAAAAAAAAAAAAAAIABAAAAAGdyYWQvY29udjEud2VpZ2h0Lm5weVBLAQIUAxQAAAAIAAAAIQAjuPBsRgAAAIgA
        AAAKAAAAAAAAAAAAAACAAZwAAABzY2FsYXIubnB5UEsBAhQDFAAAAAgAAAAhAMDqwu1KAAAAhgAAAAUAAAAAAAAAAAAAAIABHgEAAGgubnB5UEsBAhQDFAAA
        AAgAAAAhAKjpZ0ZUAAAApAAAAAUAAAAAAAAAAAAAAIABnwEAAHUubnB5UEsBAhQDFAAAAAgAAAAhALY18ddIAAAAhAAAAAUAAAAAAAAAAAAAAIABKgIAAHMu
        bnB5UEsBAhQDFAAAAAgAAAAhAMpkdOJUAAAAmAAAAAUAAAAAAAAAAAAAAIABqQIAAGYubnB5UEsBAhQDFAAAAAgAAAAhAO4Zu11GAAAAggAAAAgAAAAAAAAA
        AAAAAIABNAMAAGZsYWcubnB5UEsBAhQDFAAAAAgAAAAhAFj7YPhGAAAAgAAAAAkAAAAAAAAAAAAAAIABtAMAAGVtcHR5Lm5weVBLBQYAAAAACAAIALQBAAA1
        BAAAAAA=
        """;

    /// <summary>The header of the array [[1, 2, 3]].</summary>
    const string Int16Header = "{'descr': '<i2', 'fortran_order': False, 'shape': (1, 3), }";

    [Fact]
    public void Reads_what_NumPy_writes()
    {
        using var npz = new NpzReader(new MemoryStream(Convert.FromBase64String(WrittenByNumPy)), "numpy.npz");

        Assert.Equal(["grad/conv1.weight", "scalar", "h", "u", "s", "f", "flag", "empty"], npz.Names);
        Assert.Equal([2, 2], npz.Read("grad/conv1.weight").Shape);
        Assert.Equal([1.5f, -2, 0.25f, 3], npz.Read("grad/conv1.weight").Values<float>().ToArray());
        Assert.Empty(npz.Read("scalar").Shape);
        Assert.Equal([7], npz.Read("scalar").ToInt64s());
        Assert.Equal([1, 0.5f, -65504], npz.Read("h").ToSingles());
        Assert.Equal(["a", "Zoë", "😀"], npz.Read("u").ToStrings());
        Assert.Equal(["ab", "c"], npz.Read("s").ToStrings());
        Assert.Equal([2, 3], npz.Read("f").Shape);
        Assert.Equal([0, 1, 2, 3, 4, 5], npz.Read("f").Values<int>().ToArray());
        Assert.Equal([true, false], npz.Read("flag").Values<bool>().ToArray());
        Assert.Equal([0, 3], npz.Read("empty").Shape);
        Assert.Equal(0, npz.Read("empty").Count);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Reads_every_format_version(byte major)
    {
        using var npz = Zip(("a.npy", Npy(Int16Header, [1, 0, 2, 0, 3, 0], major)));

        Assert.Equal([1, 2, 3], npz.Read("a").ToInt64s());
    }

    [Theory]
    [InlineData("{'descr': '<i2', 'fortran_order': False, 'shape': (1, 4), }", 6, "asks for 8 bytes of elements but the file declares 6")]
    [InlineData("{'descr': '<i2', 'fortran_order': False, 'shape': (1, 2), }", 6, "asks for 4 bytes of elements but the file declares 6")]
    [InlineData("{'descr': '<i2', 'fortran_order': False, 'shape': (4294967296, 4294967296), }", 6, "larger than any memory")]
    [InlineData("{'descr': '<f8', 'fortran_order': False, 'shape': (300000000,), }", 6, "exceed the limit")]
    [InlineData("{'descr': '|O', 'fortran_order': False, 'shape': (1,), }", 6, "never loaded")]
    [InlineData("{'descr': '|b1', 'fortran_order': False, 'shape': (6,), }", 6, "neither 0 nor 1")]
    public void Refuses_arrays_whose_sizes_or_types_lie(string header, int length, string message)
    {
        using var npz = Zip(("a.npy", Npy(header, [.. Enumerable.Repeat((byte)2, length)], 1)));

        var exception = Assert.Throws<DataException>(() => npz.Read("a"));

        Assert.StartsWith("test.npz: array 'a': ", exception.Message);
        Assert.Contains(message, exception.Message);
    }

    [Theory]
    [InlineData("4e554d505901000000", "does not start like")]
    [InlineData("934e554d50590400760000", "version 4.0")]
    [InlineData("934e554d505902000000ff7f00", "longer than 65536")]
    [InlineData("934e554d50590100", "damaged or cut off")]
    [InlineData("", "damaged or cut off")]
    public void Refuses_entries_that_are_no_arrays(string hex, string message)
    {
        using var npz = Zip(("a.npy", Convert.FromHexString(hex)));

        Assert.Contains(message, Assert.Throws<DataException>(() => npz.Read("a")).Message);
    }

    [Fact]
    public void Honours_the_limit_of_its_caller()
    {
        var bytes = ZipBytes(CompressionLevel.NoCompression, ("a.npy", Npy(Int16Header, [1, 0, 2, 0, 3, 0], 1)));
        using var npz = new NpzReader(new MemoryStream(bytes), "test.npz", maxArrayBytes: 5);

        Assert.Contains("6 bytes exceed the limit of 5", Assert.Throws<DataException>(() => npz.Read("a")).Message);
    }

    [Fact]
    public void Refuses_two_arrays_of_one_name()
    {
        var npy = Npy(Int16Header, [1, 0, 2, 0, 3, 0], 1);

        var exception = Assert.Throws<DataException>(() => Zip(("a.npy", npy), ("a.npy", npy)));

        Assert.Equal("test.npz: array 'a': the file holds it twice; write the file again with distinct names.", exception.Message);
    }

    [Fact]
    public void Names_what_the_file_holds_when_an_array_is_missing()
    {
        using var npz = Zip(("x.npy", Npy(Int16Header, [1, 0, 2, 0, 3, 0], 1)), ("note.txt", [1]));

        Assert.Null(npz.Find("y"));
        var exception = Assert.Throws<DataException>(() => npz.Read("y"));
        Assert.Equal("test.npz: array 'y': it is not in the file; the file holds: x.", exception.Message);
    }

    [Fact]
    public void Keeps_control_characters_of_names_out_of_messages()
    {
        using var npz = Zip(("x\u001b[2J\n.npy", [1]));

        Assert.DoesNotContain(Assert.Throws<DataException>(() => npz.Read("y")).Message, char.IsControl);
    }

    /// <summary>Whatever single byte is damaged or wherever the file is cut: an error of ours or the right values, nothing else.</summary>
    [Theory]
    [InlineData(CompressionLevel.NoCompression)]
    [InlineData(CompressionLevel.Optimal)]
    public void Survives_damage_anywhere(CompressionLevel level)
    {
        var bytes = ZipBytes(level, ("a.npy", Npy(Int16Header, [1, 0, 2, 0, 3, 0], 1)));
        var refused = 0;
        for (var i = 0; i < bytes.Length; i++)
        {
            foreach (var flip in (byte[])[0x01, 0x80, 0xff])
            {
                var damaged = (byte[])bytes.Clone();
                damaged[i] ^= flip;
                refused += IsRefused(damaged) ? 1 : 0;
            }

            Assert.True(IsRefused(bytes[..i]), $"cut at {i}");
        }

        Assert.InRange(refused, bytes.Length, 3 * bytes.Length);
    }

    [Fact]
    public void Refuses_an_entry_that_declares_more_than_it_can_hold()
    {
        var npy = Npy("{'descr': '|u1', 'fortran_order': False, 'shape': (1000000000,), }", [1], 1);
        var bytes = ZipBytes(CompressionLevel.NoCompression, ("a.npy", npy));
        var directory = bytes.AsSpan().LastIndexOf("PK\x01\x02"u8);
        BitConverter.TryWriteBytes(bytes.AsSpan(directory + 24), 1_000_000_128);
        using var npz = new NpzReader(new MemoryStream(bytes), "test.npz");

        Assert.Contains("more than the file can hold", Assert.Throws<DataException>(() => npz.Read("a")).Message);
    }

    [Fact]
    public void Says_when_a_file_is_missing()
    {
        var path = Path.Combine(AppContext.BaseDirectory, "no-such-file.npz");

        Assert.Equal($"{path}: the file does not exist; check the path.", Assert.Throws<DataException>(() => NpzReader.Open(path)).Message);
    }

    static bool IsRefused(byte[] bytes)
    {
        try
        {
            using var npz = new NpzReader(new MemoryStream(bytes), "test.npz");
            if (npz.Find("a") is { } array)
                Assert.Equal([1, 2, 3], array.ToInt64s());
            return false;
        }
        catch (DataException)
        {
            return true;
        }
    }

    static NpzReader Zip(params (string Name, byte[] Bytes)[] entries) =>
        new(new MemoryStream(ZipBytes(CompressionLevel.NoCompression, entries)), "test.npz");

    static byte[] ZipBytes(CompressionLevel level, params (string Name, byte[] Bytes)[] entries)
    {
        var stream = new MemoryStream();
        using (var zip = new ZipArchive(stream, ZipArchiveMode.Create, leaveOpen: true))
        {
            foreach (var (name, bytes) in entries)
            {
                using var entry = zip.CreateEntry(name, level).Open();
                entry.Write(bytes);
            }
        }

        return stream.ToArray();
    }

    static byte[] Npy(string header, byte[] elements, byte major)
    {
        byte[] length = major is 1 ? BitConverter.GetBytes((ushort)(header.Length + 1)) : BitConverter.GetBytes(header.Length + 1);
        return [0x93, .. "NUMPY"u8, major, 0, .. length, .. Encoding.ASCII.GetBytes(header), (byte)'\n', .. elements];
    }
}
