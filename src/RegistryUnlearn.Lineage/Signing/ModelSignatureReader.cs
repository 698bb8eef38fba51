using System.Text.Json;

namespace RegistryUnlearn.Lineage;

/// <summary>
/// Reads bundles as strictly as the schemas of OpenSSF Model Signing v1.0, and no method but that of keys over whole files.
/// </summary>
static class ModelSignatureReader
{
    const string MediaTypes = "application/vnd.dev.sigstore.bundle";

    public static ModelSignature Read(ReadOnlyMemory<byte> json, string place)
    {
        if (json.Length > ModelSignature.MaxBytes)
            throw new LineageException(place, $"{json.Length} bytes are more than {ModelSignature.MaxBytes}. This is no signature.");
        try
        {
            using var document = JsonDocument.Parse(json, LineageJson.Documents);
            return Bundle(document.RootElement);
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException or FormatException)
        {
            throw new LineageException(place,
                $"this is not an OpenSSF Model Signing bundle that can be verified here ({e.Message}) " +
                "Take the file from its publisher again, or verify it with the tool that made it.", e);
        }
    }

    static ModelSignature Bundle(JsonElement bundle)
    {
        Require(bundle, "the bundle", ["mediaType", "verificationMaterial", "dsseEnvelope"]);
        if (bundle.GetProperty("mediaType").GetString()?.StartsWith(MediaTypes, StringComparison.Ordinal) is not true)
            throw new JsonException("mediaType is not that of a Sigstore bundle.");
        var hint = Hint(bundle.GetProperty("verificationMaterial"));
        var wrapped = bundle.GetProperty("dsseEnvelope");
        Require(wrapped, "dsseEnvelope", ["payload", "payloadType", "signatures"]);
        var envelope = DsseEnvelope.Parse(wrapped);
        foreach (var signature in wrapped.GetProperty("signatures").EnumerateArray())
            Require(signature, "a signature", ["sig"], "keyid");
        if (envelope.PayloadType != Statement.PayloadType)
            throw new JsonException($"payloadType is not {Statement.PayloadType}.");
        if (envelope.Signatures.Count is 0)
            throw new JsonException("signatures is empty.");
        using var payload = JsonDocument.Parse(envelope.Payload, LineageJson.Documents);
        return Signed(payload.RootElement, hint, envelope);
    }

    static string? Hint(JsonElement material)
    {
        if (material.TryGetProperty("certificate", out _) || material.TryGetProperty("x509CertificateChain", out _))
            throw new JsonException("It is signed by a certificate, not by a key.");
        var key = material.GetProperty("publicKey");
        if (key.TryGetProperty("hint", out var hint))
            return hint.GetString();
        // Bundles of release 1.0 carry the key itself; it is not believed, since anyone can put one there.
        return key.TryGetProperty("rawBytes", out _) ? null : throw new JsonException("publicKey has no hint.");
    }

    static ModelSignature Signed(JsonElement statement, string? hint, DsseEnvelope envelope)
    {
        Require(statement, "the statement", ["_type", "subject", "predicateType", "predicate"]);
        RequireText(statement, "_type", Statement.TypeUri);
        RequireText(statement, "predicateType", ModelSignature.PredicateType);
        var subjects = statement.GetProperty("subject");
        if (subjects.GetArrayLength() is not 1)
            throw new JsonException("subject is not exactly one.");
        var name = subjects[0].GetProperty("name").GetString();
        if (string.IsNullOrEmpty(name))
            throw new JsonException("The subject has no name.");
        var predicate = statement.GetProperty("predicate");
        Require(predicate, "predicate", ["resources", "serialization"]);
        var ignored = Serialization(predicate.GetProperty("serialization"));
        SignedResource[] resources = [.. predicate.GetProperty("resources").EnumerateArray().Select(Resource)];
        for (var i = 1; i < resources.Length; i++)
        {
            if (CodePointOrder.Instance.Compare(resources[i - 1].Name, resources[i].Name) >= 0)
                throw new JsonException("resources is not in the order of names, or has one twice.");
        }
        if (subjects[0].GetProperty("digest").GetProperty(ModelSignature.Algorithm).GetString() != ModelSignature.RootDigest(resources))
            throw new JsonException("The subject's digest is not that of the resources.");
        return new(name, resources, ignored, hint, envelope);
    }

    static string[] Serialization(JsonElement serialization)
    {
        Require(serialization, "serialization", ["method", "hash_type", "allow_symlinks"], "shard_size", "ignore_paths");
        if (serialization.GetProperty("method").GetString() is "shards")
            throw new JsonException("It signs shards of files, the method 'shards'; only whole files, the method 'files', are read.");
        RequireText(serialization, "method", ModelSignature.Method);
        RequireText(serialization, "hash_type", ModelSignature.Algorithm);
        if (serialization.GetProperty("allow_symlinks").GetBoolean())
            throw new JsonException("allow_symlinks is true; links are not followed.");
        if (serialization.TryGetProperty("shard_size", out _))
            throw new JsonException("shard_size does not belong to the method 'files'.");
        return serialization.TryGetProperty("ignore_paths", out var paths)
            ? [.. paths.EnumerateArray().Select(p => p.GetString() is { Length: > 0 } path
                ? path.TrimEnd('/')
                : throw new JsonException("ignore_paths has an empty path."))]
            : [];
    }

    static SignedResource Resource(JsonElement resource)
    {
        RequireText(resource, "algorithm", ModelSignature.Algorithm);
        var name = resource.GetProperty("name").GetString() ?? "";
        if (name.Split('/').Any(s => s is "" or "." or "..") || name.Contains('\0'))
            throw new JsonException("The name of a resource is not a relative path inside the model's folder.");
        var digest = resource.GetProperty("digest").GetString();
        return Sha256.IsHex(digest) ? new(name, digest) : throw new JsonException($"The digest of '{name}' is not a SHA-256.");
    }

    static void RequireText(JsonElement parent, string field, string expected)
    {
        if (parent.GetProperty(field).GetString() is var text && text != expected)
            throw new JsonException($"{field} is '{text}', not '{expected}'.");
    }

    /// <summary>An object with these fields, perhaps the others, and none beside.</summary>
    static void Require(JsonElement value, string what, string[] fields, params string[] optional)
    {
        foreach (var field in fields)
        {
            if (!value.TryGetProperty(field, out _))
                throw new JsonException($"{what} lacks {field}.");
        }
        foreach (var field in value.EnumerateObject().Where(f => !fields.Contains(f.Name) && !optional.Contains(f.Name)))
            throw new JsonException($"{what} has the field '{field.Name}', which does not belong there.");
    }
}
