using System.IO.Compression;
using System.Net;
using System.Text.RegularExpressions;

namespace RegistryUnlearn.Worker.Tests.Hosting.Http;

/// <summary>The page as it is sent.</summary>
public sealed partial class PageFilesTests(PageFilesTests.Site site) : IClassFixture<PageFilesTests.Site>
{
    const int MostBytes = 60_000;

    static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task It_is_small_and_all_that_it_names_is_there()
    {
        var sent = 0;
        var seen = new HashSet<string>();
        var open = new Stack<string>(["/"]);
        while (open.TryPop(out var path))
        {
            if (!seen.Add(path))
                continue;
            using var answer = await GetAsync(path, gzip: true);
            Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
            Assert.Equal(["gzip"], answer.Content.Headers.ContentEncoding);
            var packed = await answer.Content.ReadAsByteArrayAsync(Stop);
            sent += packed.Length;
            using var text = new StreamReader(new GZipStream(new MemoryStream(packed), CompressionMode.Decompress));
            foreach (Match reference in Reference.Matches(await text.ReadToEndAsync(Stop)))
                open.Push(reference.Groups[1].Value);
        }
        Assert.Superset(new HashSet<string> { "/app.css", "/app.js", "/icon.svg", "/chart.js", "/lineage.js" }, seen);
        Assert.InRange(sent, 1, MostBytes);
    }

    [Fact]
    public async Task It_needs_no_exception_from_its_policy()
    {
        using var answer = await GetAsync("/");
        var policy = Assert.Single(answer.Headers.GetValues("Content-Security-Policy"));
        Assert.StartsWith("default-src 'none'; script-src 'self'; style-src 'self'; ", policy);
        Assert.DoesNotContain("unsafe", policy);
        Assert.DoesNotMatch("<style|style=|<script(?![^>]* src=)| on[a-z]+=|https?:", await answer.Content.ReadAsStringAsync(Stop));
    }

    [Fact]
    public async Task An_unchanged_file_is_not_sent_again()
    {
        using var first = await GetAsync("/app.css");
        Assert.Equal("no-cache", first.Headers.CacheControl!.ToString());
        using var again = await GetAsync("/app.css", tag: first.Headers.ETag!.ToString());
        Assert.Equal(HttpStatusCode.NotModified, again.StatusCode);
        using var packed = await GetAsync("/app.css", gzip: true, tag: first.Headers.ETag!.ToString());
        Assert.Equal(HttpStatusCode.OK, packed.StatusCode);
    }

    Task<HttpResponseMessage> GetAsync(string path, bool gzip = false, string? tag = null)
    {
        var request = new HttpRequestMessage(HttpMethod.Get, path);
        if (gzip)
            request.Headers.Add("Accept-Encoding", "gzip");
        if (tag is not null)
            request.Headers.Add("If-None-Match", tag);
        return site.Worker.Client.SendAsync(request, Stop);
    }

    /// <summary>What a file names in an attribute or an import.</summary>
    [GeneratedRegex("(?:href=|src=|from )\"(/[a-z.]+)\"")]
    static partial Regex Reference { get; }

    public sealed class Site : IAsyncLifetime
    {
        internal RunningWorker Worker { get; private set; } = null!;

        public async ValueTask InitializeAsync() => Worker = await RunningWorker.StartAsync();

        public ValueTask DisposeAsync() => Worker.DisposeAsync();
    }
}
