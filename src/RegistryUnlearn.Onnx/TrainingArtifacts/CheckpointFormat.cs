using static RegistryUnlearn.Onnx.Proto.TensorProto.Types;

namespace RegistryUnlearn.Onnx.TrainingArtifacts;

/// <summary>
/// The FlatBuffers schema of a checkpoint: numbers of the fields of each table, in the order in which ONNX Runtime declares them
/// (ort_training_checkpoint.fbs; Tensor is that of ort.fbs). Scalars at their default are not stored.
/// </summary>
static class CheckpointFormat
{
    public static ReadOnlySpan<byte> Identifier => "ODTC"u8;

    /// <summary>ONNX Runtime accepts exactly this version.</summary>
    public const int Version = 2;

    /// <summary>ONNX Runtime's own limit for values inside the file.</summary>
    public const long InlineLimit = 1_800_000_000;

    /// <summary>Smaller tensors stay in the file.</summary>
    public const int SmallestExternal = 64;

    /// <summary>Of a tensor's start in the data file; enough for every element type.</summary>
    public const int ExternalAlignment = 8;

    public const long NoExternalOffset = -1;

    public static class Root
    {
        public const int Version = 0, Module = 1, Fields = 4;
    }

    public static class Module
    {
        public const int Trainable = 0, Frozen = 1, IsNominal = 2, HasExternalData = 3, Fields = 4;
    }

    public static class Tensor
    {
        public const int Name = 0, Dims = 2, Type = 3, RawData = 4, ExternalOffset = 6, Fields = 7;
    }

    /// <summary>Bytes per element of a type that a checkpoint may hold; null for one that ONNX Runtime does not load.</summary>
    public static int? SizeOf(DataType type) => type switch
    {
        DataType.Bool or DataType.Int8 or DataType.Uint8 => 1,
        DataType.Int16 or DataType.Uint16 => 2,
        DataType.Float or DataType.Int32 or DataType.Uint32 => 4,
        DataType.Double or DataType.Int64 or DataType.Uint64 => 8,
        _ => null,
    };
}
