using System.Text.Json;
using System.Text.Json.Serialization;

namespace RegistryUnlearn.Lineage;

/// <summary>Digests by algorithm; ours are SHA-256, 64 lower-case hexadecimal digits.</summary>
public sealed record DigestSet(string Sha256)
{
    public string Sha256 { get; } = Lineage.Sha256.Check(Sha256);
}

/// <summary>
/// Something a statement speaks about (in-toto attestation framework, ResourceDescriptor v1): named by name or URI, held by digest.
/// </summary>
public sealed record ResourceDescriptor(string? Name = null, string? Uri = null, DigestSet? Digest = null, string? MediaType = null)
{
    /// <summary>A file of a version, by its path in the version's folder.</summary>
    public static ResourceDescriptor File(string path, string sha256) => new(path, Digest: new(sha256));
}

/// <summary>
/// An in-toto Statement v1: a predicate about subjects. It holds no clock and no chance: all times come from the caller, so that the same
/// job, run again, gives the same bytes.
/// </summary>
public sealed record Statement
{
    public const string TypeUri = "https://in-toto.io/Statement/v1";
    public const string PayloadType = "application/vnd.in-toto+json";

    [JsonPropertyName("_type")]
    public string Type { get; init; } = TypeUri;

    /// <summary>At least one; each with a digest.</summary>
    public required IReadOnlyList<ResourceDescriptor> Subject { get; init; }

    public required string PredicateType { get; init; }

    public required JsonElement Predicate { get; init; }

    /// <summary>How a version came about.</summary>
    public static Statement Of(IReadOnlyList<ResourceDescriptor> subject, ProvenancePredicate predicate) =>
        Of(subject, ProvenancePredicate.TypeUri, predicate);

    /// <summary>What was unlearned, and how.</summary>
    public static Statement Of(IReadOnlyList<ResourceDescriptor> subject, UnlearningPredicate predicate) =>
        Of(subject, UnlearningPredicate.TypeUri, predicate);

    /// <summary>Which audit gates held.</summary>
    public static Statement Of(IReadOnlyList<ResourceDescriptor> subject, TestResultPredicate predicate) =>
        Of(subject, TestResultPredicate.TypeUri, predicate);

    /// <summary>What the version's manifest says.</summary>
    public static Statement Of(IReadOnlyList<ResourceDescriptor> subject, VersionPredicate predicate) =>
        Of(subject, VersionPredicate.TypeUri, predicate);

    /// <summary>The predicate as its own type.</summary>
    /// <exception cref="LineageException">The predicate does not have that form.</exception>
    public T PredicateAs<T>()
    {
        try
        {
            return Predicate.Deserialize<T>(LineageJson.Options) ?? throw new JsonException("The predicate is null.");
        }
        catch (Exception e) when (e is JsonException or ArgumentException)
        {
            throw new LineageException(PredicateType,
                $"the predicate is not a {typeof(T).Name} ({e.Message}) Take the file from its publisher again.", e);
        }
    }

    /// <summary>UTF-8 JSON without white space.</summary>
    public byte[] ToJson() => JsonSerializer.SerializeToUtf8Bytes(this, LineageJson.Options);

    /// <param name="place">Named in errors.</param>
    /// <exception cref="LineageException">Not an in-toto Statement v1, or a subject without a SHA-256.</exception>
    public static Statement Parse(ReadOnlySpan<byte> json, string place)
    {
        try
        {
            var statement = JsonSerializer.Deserialize<Statement>(json, LineageJson.Options)
                ?? throw new JsonException("The statement is null.");
            if (statement.Type != TypeUri)
                throw new JsonException($"_type is '{statement.Type}', not '{TypeUri}'.");
            CheckSubject(statement.Subject);
            return statement;
        }
        catch (Exception e) when (e is JsonException or ArgumentException)
        {
            throw new LineageException(place,
                $"this is not an in-toto Statement v1 ({e.Message}) Take the file from its publisher again.", e);
        }
    }

    static Statement Of<T>(IReadOnlyList<ResourceDescriptor> subject, string predicateType, T predicate)
    {
        CheckSubject(subject);
        return new()
        {
            Subject = subject,
            PredicateType = predicateType,
            Predicate = JsonSerializer.SerializeToElement(predicate, LineageJson.Options),
        };
    }

    static void CheckSubject(IReadOnlyList<ResourceDescriptor> subject)
    {
        if (subject.Count is 0)
            throw new ArgumentException("A statement has at least one subject.", nameof(subject));
        if (subject.FirstOrDefault(s => s?.Digest is null || string.IsNullOrEmpty(s.Name)) is { } bad)
            throw new ArgumentException($"The subject '{bad.Name ?? bad.Uri}' lacks its name or its SHA-256.", nameof(subject));
        if (subject.Contains(null!))
            throw new ArgumentException("A subject is null.", nameof(subject));
    }
}
