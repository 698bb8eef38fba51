using System.Text.Json;

namespace RegistryUnlearn.Auditing;

/// <summary>One oracle: a model trained again without the forget set.</summary>
/// <param name="Name">Unique within a file.</param>
/// <param name="Seed">Seed of its training, where known.</param>
public sealed record OracleRecord(string Name, ModelSummary Summary, long? Seed = null)
{
    /// <summary>
    /// Keeps of an oracle's outputs what audits need; see <see cref="ModelSummary.Of"/> for <paramref name="lossPoints"/>.
    /// </summary>
    public static OracleRecord Of(ModelOutputs outputs, long? seed, int? lossPoints = 2048) =>
        new(outputs.Name, ModelSummary.Of(outputs, lossPoints), seed);
}

/// <summary>The oracles of one model and request; made once, used by every audit of that request.</summary>
/// <param name="SchemaVersion"><see cref="CurrentSchema"/>.</param>
/// <param name="ModelDigest">sha256:… of the model that was to unlearn.</param>
/// <param name="RequestDigest">sha256:… of the data and the forget set, see <see cref="OracleKey"/>.</param>
public sealed record OracleFile(int SchemaVersion, string ModelDigest, string RequestDigest, IReadOnlyList<OracleRecord> Oracles)
{
    public const int CurrentSchema = 1;

    /// <summary>The largest file that is read; beyond it the file is refused.</summary>
    public const long MaxBytes = 256L << 20;

    /// <summary>Deterministic UTF-8 JSON: same content, same bytes.</summary>
    /// <exception cref="AuditInputException">The content breaks a rule of the format.</exception>
    public byte[] ToJson()
    {
        OracleFileRules.Check(this, "oracle file to be written");
        return AuditJson.Bytes(this, AuditJson.Default.OracleFile);
    }

    /// <summary>Reads and checks a file.</summary>
    /// <exception cref="AuditInputException">The file is missing, no valid JSON, of another schema, or inconsistent.</exception>
    public static OracleFile Read(string path)
    {
        const string remedy = "make it again with the oracle command";
        try
        {
            var length = new FileInfo(path).Length;
            if (length > MaxBytes)
                throw new AuditInputException($"{path}: {length} bytes are more than the {MaxBytes} an oracle file may have; {remedy}");
            return Parse(File.ReadAllBytes(path), path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new AuditInputException($"{path}: cannot be read ({e.GetType().Name}); give the path of an oracle file, or {remedy}");
        }
    }

    /// <summary>Parses and checks UTF-8 JSON; <paramref name="source"/> names it in error messages.</summary>
    /// <exception cref="AuditInputException">As for <see cref="Read"/>.</exception>
    public static OracleFile Parse(ReadOnlySpan<byte> json, string source)
    {
        OracleFile? file;
        try
        {
            file = JsonSerializer.Deserialize(json, AuditJson.Default.OracleFile);
        }
        catch (JsonException e)
        {
            throw new AuditInputException(
                $"{source}: field '{e.Path ?? "$"}' is not as the oracle format asks ({FirstSentence(e)}); make the file again with "
                + "the oracle command");
        }

        if (file is null)
            throw new AuditInputException($"{source}: holds null instead of an oracle file; make it again with the oracle command");
        OracleFileRules.Check(file, source);
        return file;
    }

    static string FirstSentence(JsonException e) => e.Message.Split(" Path:")[0].TrimEnd('.');
}
