namespace RegistryUnlearn.Onnx.Models;

/// <summary>Recognises files that are certainly not ONNX, so that the error can say what they are.</summary>
static class FileSignature
{
    static readonly (int Offset, byte[] Bytes, string What, string Remedy)[] Known =
    [
        (0, [.. "PK\x03\x04"u8], "is a zip archive",
            "Unpack it and name the .onnx file inside; a PyTorch checkpoint must be exported to ONNX"),
        (0, [0x1F, 0x8B], "is compressed by gzip", "Unpack it first"),
        (0, [0x89, .. "HDF\r\n"u8], "is an HDF5 file", "Convert the Keras model to ONNX"),
        (4, [.. "ORTM"u8], "is a model in ONNX Runtime's own ORT format", "Use the .onnx file it was made from"),
        (4, [.. "TFL3"u8], "is a TensorFlow Lite model", "Convert it to ONNX"),
        (0, [.. "version https://git-lfs"u8], "is a Git LFS pointer, not the model", "Run 'git lfs pull'"),
        (0, [.. "<"u8], "is a text file", "Name the .onnx file; a download may have returned an error page"),
        (0, [.. "{"u8], "is a text file", "Name the .onnx file"),
    ];

    /// <exception cref="OnnxModelException">Larger than 2 GB, or of a known other format. The stream is left at its start.</exception>
    public static void RequireOnnx(string path, FileStream stream)
    {
        if (stream.Length > int.MaxValue)
            throw new OnnxModelException(path, "file", $"has {stream.Length} bytes, above the 2 GB limit of the format",
                "Export the model with external data (save_as_external_data)");
        Span<byte> head = stackalloc byte[32];
        head = head[..stream.ReadAtLeast(head, head.Length, throwOnEndOfStream: false)];
        stream.Position = 0;
        foreach (var (offset, bytes, what, remedy) in Known)
            if (head.Length > offset && head[offset..].StartsWith(bytes))
                throw new OnnxModelException(path, "file", what, remedy);
    }
}
