using RegistryUnlearn.Onnx.Models;
using RegistryUnlearn.Onnx.Proto;
using static RegistryUnlearn.Onnx.Proto.TensorProto.Types;

namespace RegistryUnlearn.Onnx.TrainingArtifacts;

/// <summary>The parameters in a checkpoint of ONNX Runtime Training, in its order. Optimizer state is neither written nor read.</summary>
public sealed record Checkpoint(IReadOnlyList<CheckpointTensor> Trainable, IReadOnlyList<CheckpointTensor> Frozen)
{
    /// <exception cref="OnnxModelException">The file is no such checkpoint, or holds something that does not fit together.</exception>
    public static Checkpoint Read(string path) => CheckpointReader.Read(path);

    /// <summary>Writes the file; the same values always give the same bytes.</summary>
    /// <param name="inlineLimit">
    /// Bytes of values above which tensors of 64 bytes and more go to <c>{path}.data</c>; the format ends at 2 GB.
    /// </param>
    public void Write(string path, long inlineLimit = CheckpointFormat.InlineLimit) => CheckpointWriter.Write(this, path, inlineLimit);
}

/// <param name="Data">Elements in row-major order, little endian.</param>
public sealed record CheckpointTensor(string Name, DataType Type, IReadOnlyList<long> Dims, ReadOnlyMemory<byte> Data)
{
    /// <summary>The tensor as an initializer; shares memory with <see cref="Data"/>.</summary>
    public TensorProto ToProto() => new()
    {
        Name = Name,
        DataType = (int)Type,
        Dims = { Dims },
        RawData = Google.Protobuf.UnsafeByteOperations.UnsafeWrap(Data),
    };
}
