using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using RegistryUnlearn.Registry;

namespace RegistryUnlearn.Worker.Hosting.Http;

/// <summary>Models: list, lineage, the report of a version.</summary>
static class ModelsApi
{
    /// <summary>The report is the registry's, not ours: no script, no form, no origin, nothing from elsewhere.</summary>
    const string ReportPolicy = "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; "
        + "form-action 'none'; frame-ancestors 'none'";

    public static void Map(IEndpointRouteBuilder routes)
    {
        var reading = routes.MapGroup("").RequireAuthorization(HttpSetup.Read);
        reading.MapGet("/api/models", (ModelWindow window, CancellationToken stop) => window.ListAsync(stop));
        reading.MapGet("/api/models/{model}/lineage", (string model, ModelWindow window, CancellationToken stop) =>
            window.LookAsync(ModelName.Parse(model), stop));
        reading.MapGet("/models/{model}/{version}/report", ReportAsync);
    }

    static async Task<IResult> ReportAsync(string model, string version, ModelWindow window, HttpResponse response, CancellationToken stop)
    {
        var report = await window.ReadReportAsync(ModelReference.Parse($"{model}@{version}"), stop);
        response.Headers.ContentSecurityPolicy = ReportPolicy;
        return TypedResults.Bytes(report, "text/html; charset=utf-8");
    }
}

/// <summary>Looks models up in the registry, for people.</summary>
public sealed class ModelWindow(IObjectStore store, JobStore jobs, ModelRegistry models)
{
    const string Report = "report.html";
    const int MaxReportBytes = 16 << 20;

    readonly ModelHistory history = new(store, jobs);

    /// <summary>All models; one whose documents are damaged is there with its error, and does not hide the others.</summary>
    public async Task<IReadOnlyList<ModelView>> ListAsync(CancellationToken cancellation)
    {
        var views = new List<ModelView>();
        foreach (var model in await models.ListModelsAsync(cancellation))
        {
            try
            {
                views.Add(ModelView.Of(model, await history.ReadAsync(model, cancellation)));
            }
            catch (RegistryException e) when (e.Kind is RegistryErrorKind.Invalid or RegistryErrorKind.Corrupt)
            {
                views.Add(new(model.ToString(), [], e.Message));
            }
        }
        return views;
    }

    /// <exception cref="RegistryException">NotFound: no such model. Invalid: its documents are damaged.</exception>
    public async Task<ModelView> LookAsync(ModelName model, CancellationToken cancellation) =>
        await history.ReadAsync(model, cancellation) is { Count: > 0 } versions
            ? ModelView.Of(model, versions)
            : throw new RegistryException(RegistryErrorKind.NotFound, $"{model}", "there is no such model. See the list of models.");

    /// <summary>The report that a job published with a version, as its manifest knows it.</summary>
    /// <exception cref="RegistryException">
    /// NotFound: no such version, or one without a report. Withdrawn. Corrupt: not the bytes that were published.
    /// </exception>
    public async Task<byte[]> ReadReportAsync(ModelReference reference, CancellationToken cancellation)
    {
        var listed = await models.ListVersionsAsync(reference.Model, cancellation);
        // An adopted version has no report, and would be read as a whole to be resolved.
        if (listed.FirstOrDefault(v => v.Version == reference.Version) is { IsAdopted: true })
            throw NoReport(reference);
        var version = await models.ResolveAsync(reference, cancellation);
        var file = version.Manifest.Files.FirstOrDefault(f => f.Path == Report) ?? throw NoReport(reference);
        if (file.Size > MaxReportBytes)
            throw new RegistryException(RegistryErrorKind.Invalid, $"{reference}/{Report}", $"it has more than {MaxReportBytes} bytes.");
        var stored = await store.ReadAsync($"{version.Model}/{version.Version}/{Report}", cancellation) ?? throw NoReport(reference);
        return Digest.Of(stored.Content.Span) == file.Digest
            ? stored.Content.ToArray()
            : throw new RegistryException(RegistryErrorKind.Corrupt, $"{reference}/{Report}",
                $"it is not the report that was published. See: registry-unlearn verify {reference}");
    }

    static RegistryException NoReport(ModelReference reference) =>
        new(RegistryErrorKind.NotFound, reference.ToString(), "it has no report; only versions that a job published do.");
}

/// <summary>A model with all versions it ever had, in ascending order.</summary>
/// <param name="Error">Why its versions are not known; null when they are.</param>
public sealed record ModelView(string Model, IReadOnlyList<VersionView> Versions, string? Error = null)
{
    internal static ModelView Of(ModelName model, IReadOnlyList<VersionRecord> versions) =>
        new(model.ToString(), [.. versions.Select(VersionView.Of)]);
}

/// <summary>A version as a list or a graph shows it; see <see cref="VersionRecord"/>.</summary>
/// <param name="Report">Whether it can have a report: withdrawn and adopted versions show none.</param>
public sealed record VersionView(
    int Version, string Status, IReadOnlyList<string> Aliases, string? Digest, DateTimeOffset? Created, int? Parent, string? Job,
    int? ReplacedBy, bool Report)
{
    internal static VersionView Of(VersionRecord version) => new(
        version.Version, version.Status.ToString().ToLowerInvariant(), [.. version.Aliases.Select(a => a.ToString())],
        version.Digest?.ToString(), version.Created, version.Parent, version.Job?.ToString(), version.ReplacedBy,
        version.Status is VersionStatus.Published);
}
