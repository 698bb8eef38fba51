using System.Buffers.Text;
using System.Collections.Concurrent;
using System.Text.Json;
using Azure.Core;

namespace RegistryUnlearn.Registry.Azure.Tests.Emulator;

/// <summary>Somebody with tokens as the emulator wants them: it reads what they say and asks for no signature.</summary>
/// <param name="audience">Whom the tokens are meant for; null for who is asked.</param>
/// <param name="lifetime">Of the tokens, from now; an hour unless given.</param>
/// <param name="known">How long the client may use one; as long as it lives unless given.</param>
sealed class TestCredential(string? audience = null, TimeSpan? lifetime = null, TimeSpan? known = null) : TokenCredential
{
    const string AllOf = "/.default";

    readonly ConcurrentQueue<string> asked = new();

    /// <summary>What tokens were asked for, one entry each.</summary>
    public IReadOnlyCollection<string> Asked => asked;

    public override AccessToken GetToken(TokenRequestContext requestContext, CancellationToken cancellationToken)
    {
        var scope = Assert.Single(requestContext.Scopes);
        asked.Enqueue(scope);
        var now = DateTimeOffset.UtcNow;
        var end = now + (lifetime ?? TimeSpan.FromHours(1));
        var claims = new Dictionary<string, object>
        {
            ["aud"] = audience ?? scope[..^AllOf.Length],
            ["iss"] = "https://sts.windows.net/11111111-1111-1111-1111-111111111111/",
            ["tid"] = "11111111-1111-1111-1111-111111111111",
            ["oid"] = "22222222-2222-2222-2222-222222222222",
            ["iat"] = now.AddHours(-2).ToUnixTimeSeconds(),
            ["nbf"] = now.AddHours(-2).ToUnixTimeSeconds(),
            ["exp"] = end.ToUnixTimeSeconds(),
        };
        return new($"{Encode("""{"alg":"RS256","typ":"JWT"}"""u8)}.{Encode(JsonSerializer.SerializeToUtf8Bytes(claims))}.{Encode("-"u8)}",
            known is { } time ? now + time : end > now ? end : now.AddHours(1));
    }

    public override ValueTask<AccessToken> GetTokenAsync(TokenRequestContext requestContext, CancellationToken cancellationToken) =>
        ValueTask.FromResult(GetToken(requestContext, cancellationToken));

    static string Encode(ReadOnlySpan<byte> bytes) => Base64Url.EncodeToString(bytes);
}
