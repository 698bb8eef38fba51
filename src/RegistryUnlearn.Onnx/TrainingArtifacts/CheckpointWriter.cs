using System.Runtime.InteropServices;
using System.Text;
using Google.FlatBuffers;

namespace RegistryUnlearn.Onnx.TrainingArtifacts;

static class CheckpointWriter
{
    /// <summary>Room for names, shapes and tables, per tensor; more is made when it does not do.</summary>
    const int Overhead = 256;

    public static void Write(Checkpoint checkpoint, string path, long inlineLimit)
    {
        CheckpointTensor[] all = [.. checkpoint.Trainable, .. checkpoint.Frozen];
        var values = all.Sum(t => (long)t.Data.Length);
        var external = values > inlineLimit;
        using var data = external ? File.Create(CheckpointReader.DataFile(path)) : null;
        var builder = new FlatBufferBuilder((int)((external ? 0 : values) + Overhead * (all.Length + 1L)));
        var trainable = Tensors(builder, checkpoint.Trainable, data);
        var frozen = Tensors(builder, checkpoint.Frozen, data);
        builder.StartTable(CheckpointFormat.Module.Fields);
        builder.AddOffset(CheckpointFormat.Module.Trainable, trainable.Value, 0);
        builder.AddOffset(CheckpointFormat.Module.Frozen, frozen.Value, 0);
        builder.AddBool(CheckpointFormat.Module.HasExternalData, external, false);
        var module = builder.EndTable();
        builder.StartTable(CheckpointFormat.Root.Fields);
        builder.AddInt(CheckpointFormat.Root.Version, CheckpointFormat.Version, 0);
        builder.AddOffset(CheckpointFormat.Root.Module, module, 0);
        builder.Finish(builder.EndTable(), Encoding.ASCII.GetString(CheckpointFormat.Identifier));
        using var file = File.Create(path);
        file.Write(builder.DataBuffer.ToArraySegment(builder.DataBuffer.Position, builder.DataBuffer.Length - builder.DataBuffer.Position));
    }

    static VectorOffset Tensors(FlatBufferBuilder builder, IReadOnlyList<CheckpointTensor> tensors, FileStream? data)
    {
        var offsets = tensors.Select(t => Tensor(builder, t, data)).ToArray();
        builder.StartVector(sizeof(int), offsets.Length, sizeof(int));
        foreach (var offset in Enumerable.Reverse(offsets))
            builder.AddOffset(offset);
        return builder.EndVector();
    }

    static int Tensor(FlatBufferBuilder builder, CheckpointTensor tensor, FileStream? data)
    {
        if (CheckpointFormat.SizeOf(tensor.Type) is null)
            throw new ArgumentException($"a checkpoint cannot hold '{tensor.Name}', which is {tensor.Type}", nameof(tensor));
        var name = builder.CreateString(tensor.Name);
        builder.StartVector(sizeof(long), tensor.Dims.Count, sizeof(long));
        foreach (var dim in tensor.Dims.Reverse())
            builder.AddLong(dim);
        var dims = builder.EndVector();
        var isExternal = data is not null && tensor.Data.Length >= CheckpointFormat.SmallestExternal;
        var raw = isExternal ? default : Raw(builder, tensor.Data);
        builder.StartTable(CheckpointFormat.Tensor.Fields);
        builder.AddOffset(CheckpointFormat.Tensor.Name, name.Value, 0);
        builder.AddOffset(CheckpointFormat.Tensor.Dims, dims.Value, 0);
        builder.AddInt(CheckpointFormat.Tensor.Type, (int)tensor.Type, 0);
        if (isExternal)
            builder.AddLong(CheckpointFormat.Tensor.ExternalOffset, Append(data!, tensor.Data.Span), CheckpointFormat.NoExternalOffset);
        else
            builder.AddOffset(CheckpointFormat.Tensor.RawData, raw.Value, 0);
        return builder.EndTable();
    }

    /// <summary>Bytes whose first one is aligned like an element of any type.</summary>
    static VectorOffset Raw(FlatBufferBuilder builder, ReadOnlyMemory<byte> bytes)
    {
        builder.StartVector(1, bytes.Length, sizeof(long));
        if (bytes.Length > 0)
            builder.Add(MemoryMarshal.TryGetArray(bytes, out var segment) ? segment : bytes.ToArray());
        return builder.EndVector();
    }

    static long Append(FileStream data, ReadOnlySpan<byte> bytes)
    {
        data.Position = (data.Position + CheckpointFormat.ExternalAlignment - 1) / CheckpointFormat.ExternalAlignment
            * CheckpointFormat.ExternalAlignment;
        var offset = data.Position;
        data.Write(bytes);
        return offset;
    }
}
