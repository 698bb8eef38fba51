namespace RegistryUnlearn.Lineage;

/// <summary>Names by which lineage is found: keys of an ONNX model's <c>metadata_props</c>, and the file beside the model.</summary>
public static class LineageKeys
{
    /// <summary>SHA-256 of the version that the model was made from, 64 hexadecimal digits.</summary>
    public const string ParentSha256 = "registryunlearn.parent.sha256";

    /// <summary>Id of the job that made the model.</summary>
    public const string Job = "registryunlearn.job";

    /// <summary>Unlearning method.</summary>
    public const string Method = "registryunlearn.method";

    /// <summary>Name of the lineage file beside the model.</summary>
    public const string Lineage = "registryunlearn.lineage";

    /// <summary>The signature over all files of a version but itself and the manifest (OpenSSF Model Signing).</summary>
    public const string SignatureFileName = "model.sig";

    /// <summary>The model card of a version (CycloneDX ML-BOM).</summary>
    public const string CardFileName = "model-card.cdx.json";

    /// <summary>The lineage file of a version: one envelope per line.</summary>
    public const string FileName = "lineage.intoto.jsonl";
}
