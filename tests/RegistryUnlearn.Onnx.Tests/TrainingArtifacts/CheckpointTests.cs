using System.Runtime.InteropServices;
using RegistryUnlearn.Onnx.Models;
using RegistryUnlearn.Onnx.TrainingArtifacts;
using static RegistryUnlearn.Onnx.Proto.TensorProto.Types;

namespace RegistryUnlearn.Onnx.Tests.TrainingArtifacts;

public sealed class CheckpointTests : IDisposable
{
    readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("registry-unlearn-checkpoint-");

    string File => Path.Combine(folder.FullName, "checkpoint");

    static Checkpoint Sample() => new(
        [Floats("fc.weight", [2, 3], 1, 2, 3, 4, 5, 6), Floats("scale", [], -0.5f), Floats("Überhang/β", [0, 7])],
        [Floats("running_mean", [20], [.. Enumerable.Range(0, 20).Select(i => (float)i)]),
            new("steps", DataType.Int64, [1], MemoryMarshal.AsBytes<long>([1L << 40]).ToArray()),
            new("flags", DataType.Bool, [3], new byte[] { 1, 0, 1 })]);

    [Theory]
    [InlineData(CheckpointFormat.InlineLimit, false)]
    [InlineData(16, true)]
    public void Reads_what_it_wrote_with_and_without_a_data_file(long inlineLimit, bool external)
    {
        Sample().Write(File, inlineLimit);
        Assert.Equal(external, System.IO.File.Exists(File + ".data"));
        var read = Checkpoint.Read(File);
        Same(Sample().Trainable, read.Trainable);
        Same(Sample().Frozen, read.Frozen);
    }

    [Fact]
    public void Writes_the_identifier_where_FlatBuffers_have_it_and_the_same_bytes_every_time()
    {
        Sample().Write(File);
        var first = System.IO.File.ReadAllBytes(File);
        Assert.Equal("ODTC"u8, first.AsSpan(4, 4));
        Sample().Write(File);
        Assert.Equal(first, System.IO.File.ReadAllBytes(File));
    }

    /// <summary>A checkpoint that is cut or has a bit wrong in any byte is read or refused, with no other exception.</summary>
    [Fact]
    public void Survives_every_cut_and_a_flipped_bit_in_every_byte()
    {
        Sample().Write(File, inlineLimit: 16);
        var whole = System.IO.File.ReadAllBytes(File);
        var refused = 0;
        for (var length = 0; length < whole.Length; length++)
            refused += Refuses(whole[..length]);
        for (var at = 0; at < whole.Length; at++)
        {
            var damaged = whole.ToArray();
            damaged[at] ^= (byte)(1 << at % 8);
            refused += Refuses(damaged);
        }
        Assert.InRange(refused, whole.Length, 2 * whole.Length);
    }

    [Theory]
    [InlineData("a,a", "checkpoint: tensor 'a': occurs twice. Generate the training artifacts again")]
    [InlineData(",a", "checkpoint: tensor '': has no name. Generate the training artifacts again")]
    public void Refuses_names_that_mean_nothing(string names, string message)
    {
        new Checkpoint([.. names.Split(',').Select(n => Floats(n, [1], 1))], []).Write(File);
        Assert.EndsWith(message, Assert.Throws<OnnxModelException>(() => Checkpoint.Read(File)).Message);
    }

    [Theory]
    [InlineData(new[] { 2L, 2 }, "tensor 'a': holds 4 bytes where its type and shape need 16")]
    [InlineData(new[] { -1L }, "tensor 'a': has shape [-1]")]
    [InlineData(new[] { 1L << 40, 1L << 40, 1L << 40 }, "tensor 'a': has shape [1099511627776, 1099511627776, 1099511627776]")]
    public void Refuses_shapes_that_do_not_fit_the_values(long[] shape, string problem)
    {
        new Checkpoint([Floats("a", shape, 1)], []).Write(File);
        Assert.Contains(problem, Assert.Throws<OnnxModelException>(() => Checkpoint.Read(File)).Message);
    }

    [Fact]
    public void Names_a_missing_or_short_data_file()
    {
        Sample().Write(File, inlineLimit: 16);
        System.IO.File.WriteAllBytes(File + ".data", new byte[40]);
        Assert.Contains("tensor 'running_mean': lies at 0 of checkpoint.data, outside of it",
            Assert.Throws<OnnxModelException>(() => Checkpoint.Read(File)).Message);
        System.IO.File.Delete(File + ".data");
        Assert.Contains("checkpoint.data is missing", Assert.Throws<OnnxModelException>(() => Checkpoint.Read(File)).Message);
    }

    [Fact]
    public void Names_a_missing_checkpoint() =>
        Assert.EndsWith(
            "checkpoint: file: does not exist. Check the path",
            Assert.Throws<OnnxModelException>(() => Checkpoint.Read(File)).Message);

    int Refuses(byte[] bytes)
    {
        System.IO.File.WriteAllBytes(File, bytes);
        try
        {
            Checkpoint.Read(File);
            return 0;
        }
        catch (OnnxModelException)
        {
            return 1;
        }
    }

    static void Same(IReadOnlyList<CheckpointTensor> expected, IReadOnlyList<CheckpointTensor> actual)
    {
        Assert.Equal(expected.Select(t => (t.Name, t.Type)), actual.Select(t => (t.Name, t.Type)));
        foreach (var (want, have) in expected.Zip(actual))
        {
            Assert.Equal(want.Dims, have.Dims);
            Assert.Equal(want.Data.ToArray(), have.Data.ToArray());
        }
    }

    static CheckpointTensor Floats(string name, long[] dims, params float[] values) =>
        new(name, DataType.Float, dims, MemoryMarshal.AsBytes(values.AsSpan()).ToArray());

    public void Dispose() => folder.Delete(recursive: true);
}
