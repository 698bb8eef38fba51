using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace RegistryUnlearn.Worker.Hosting.Http;

/// <summary>
/// What the cookie of a browser holds in place of a key or a token, so that no script needs to keep either. Nothing is remembered here: a
/// cookie is believed for what is in it. Comparisons take the same time whatever is shown.
/// </summary>
sealed class Sessions(HttpOptions options, TimeProvider clock)
{
    public const string Cookie = "registry-unlearn";

    /// <summary>Signs what is given for tokens: those sessions end with this process.</summary>
    readonly byte[] secret = RandomNumberGenerator.GetBytes(32);

    /// <summary>Follows from the key and does not give it away: good as long as the key is, at every worker that has it.</summary>
    public static string ForKey(string key) => Sign(Encoding.UTF8.GetBytes(key), "registry-unlearn page");

    /// <param name="end">When the token ends, and the session with it.</param>
    public string ForToken(DateTimeOffset end)
    {
        var seconds = end.ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture);
        return $"{seconds}.{Until(seconds)}";
    }

    /// <summary>Whether a cookie was given here, and its time has not passed.</summary>
    public bool IsGood(string cookie)
    {
        var parts = cookie.Split('.');
        if (parts.Length is 1)
            return options.Key is { } key && SameBytes(cookie, ForKey(key));
        return parts.Length is 2 && long.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out var end)
            && SameBytes(parts[1], Until(parts[0])) && clock.GetUtcNow().ToUnixTimeSeconds() < end;
    }

    /// <summary>Digests are compared, so that not even the length shows in the time.</summary>
    public static bool SameBytes(string a, string b) => CryptographicOperations.FixedTimeEquals(
        SHA256.HashData(Encoding.UTF8.GetBytes(a)), SHA256.HashData(Encoding.UTF8.GetBytes(b)));

    string Until(string seconds) => Sign(secret, $"registry-unlearn page until {seconds}");

    static string Sign(byte[] key, string text) => Convert.ToHexStringLower(HMACSHA256.HashData(key, Encoding.UTF8.GetBytes(text)));
}
