namespace RegistryUnlearn.Registry;

/// <summary>Where everything lies: versions where consumers look for them, everything of ours under one prefix.</summary>
static class RegistryLayout
{
    public const string Own = ".registry-unlearn/";
    public const string Requests = Own + "requests/";
    public const string Jobs = Own + "jobs/";
    public const string Leases = Own + "leases/";
    public const string Audit = Own + "audit/";
    public const string ModelFile = "model.onnx";
    public const string ManifestFile = "manifest.json";

    public static string Model(ModelName model) => $"{model}/";

    public static string Version(ModelName model, int version) => $"{model}/{VersionNumber.Format(version)}/";

    public static string Manifest(ModelName model, int version) => Version(model, version) + ManifestFile;

    public static string Claims(ModelName model) => $"{Own}models/{model}/claims/";

    public static string Claim(ModelName model, int version) => Claims(model) + VersionNumber.Format(version);

    public static string Aliases(ModelName model) => $"{Own}models/{model}/aliases/";

    public static string AliasFile(ModelName model, Alias alias) => $"{Aliases(model)}{alias}.json";

    public static string Withdrawals(ModelName model) => $"{Own}models/{model}/withdrawn/";

    public static string Withdrawal(ModelName model, int version) => Withdrawals(model) + VersionNumber.Format(version) + ".json";

    public static string Quarantine(ModelName model, int version) => $"{Own}quarantine/{model}/{VersionNumber.Format(version)}/";

    public static string Request(JobId job) => $"{Requests}{job}.json";

    public static string JobState(JobId job) => $"{Jobs}{job}/state.json";

    public static string JobLease(JobId job) => $"{Leases}{job}.json";

    public static string JobProgress(JobId job) => $"{Jobs}{job}/progress.json";

    public static string Pool(string id) => $"{Own}pools/{id}/";

    public static string Blobs(JobId job) => $"{Jobs}{job}/blobs/";

    public static string Blobs(JobId job, int retry) => $"{Blobs(job)}{retry}/";

    public static string Blob(JobId job, int retry, Digest digest) => $"{Blobs(job, retry)}sha256/{digest.Hex[..2]}/{digest.Hex}";
}
