using System.IO.Compression;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Net.Http.Headers;
using RegistryUnlearn.Registry;

namespace RegistryUnlearn.Worker.Hosting.Http;

/// <summary>
/// The files of the page, which come with this assembly and hold nothing of the registry: open to everybody, who then signs in there. A
/// browser asks each time whether its copy is still good.
/// </summary>
static class PageFiles
{
    const string Prefix = "page/";
    const string Index = "index.html";
    const string GZip = "gzip";

    static readonly string[] Methods = [HttpMethods.Get, HttpMethods.Head];

    public static void Map(IEndpointRouteBuilder routes)
    {
        var assembly = typeof(PageFiles).Assembly;
        foreach (var name in assembly.GetManifestResourceNames().Where(n => n.StartsWith(Prefix, StringComparison.Ordinal)))
        {
            using var stream = assembly.GetManifestResourceStream(name)!;
            var content = new byte[stream.Length];
            stream.ReadExactly(content);
            var path = name[Prefix.Length..];
            var (plain, packed) = (new PageFile(content), new PageFile(Compress(content)));
            var type = TypeOf(path);
            routes.MapMethods(path == Index ? "/" : $"/{path}", Methods, (HttpContext context) =>
            {
                var headers = context.Response.Headers;
                (headers.CacheControl, headers.Vary) = ("no-cache", HeaderNames.AcceptEncoding);
                var isPacked = Accepts(context.Request);
                if (isPacked)
                    headers.ContentEncoding = GZip;
                var file = isPacked ? packed : plain;
                return TypedResults.Bytes(file.Content, type, entityTag: file.Tag);
            }).AllowAnonymous();
        }
    }

    static bool Accepts(HttpRequest request) =>
        request.GetTypedHeaders().AcceptEncoding.Any(e => e.Value.Equals(GZip, StringComparison.OrdinalIgnoreCase) && e.Quality is not 0);

    static byte[] Compress(byte[] content)
    {
        using var packed = new MemoryStream();
        using (var gzip = new GZipStream(packed, CompressionLevel.SmallestSize))
            gzip.Write(content);
        return packed.ToArray();
    }

    static string TypeOf(string path) => Path.GetExtension(path) switch
    {
        ".html" => "text/html; charset=utf-8",
        ".css" => "text/css; charset=utf-8",
        ".js" => "text/javascript; charset=utf-8",
        ".svg" => "image/svg+xml",
        var other => throw new InvalidOperationException($"No type is known for files such as *{other}."),
    };

    sealed record PageFile(byte[] Content)
    {
        public EntityTagHeaderValue Tag { get; } = new($"\"{Digest.Of(Content).Hex[..32]}\"");
    }
}
