using System.Globalization;
using System.Text.RegularExpressions;

namespace RegistryUnlearn.Registry.Azure;

/// <summary>
/// A shared access signature that opens a container for a while in the name of an identity of Entra ID (user delegation). It comes from the
/// environment, never from an address. Those made with an account's key are refused: they are that key's, can be taken back with it only,
/// and leave no trace of who made them.
/// </summary>
sealed partial class DelegationSas
{
    /// <summary>The environment variable that holds one.</summary>
    public const string Variable = "REGISTRY_UNLEARN_AZURE_SAS";

    const string Remedy = "Make one with user delegation: az storage container generate-sas --as-user --auth-mode login "
        + "--account-name … --name … --permissions racwdl --expiry … --https-only";

    /// <summary>What a key that was delegated to a user leaves in each of its signatures.</summary>
    static readonly string[] Delegation = ["skoid", "sktid", "skt", "ske", "sks", "skv"];

    /// <summary>How far this machine's clock may be behind that of who made the signature.</summary>
    static readonly TimeSpan Skew = TimeSpan.FromMinutes(5);

    readonly TimeProvider clock;

    DelegationSas(string query, DateTimeOffset end, TimeProvider clock) => (Query, End, this.clock) = (query, end, clock);

    /// <summary>What stands behind '?' in an address. A secret.</summary>
    public string Query { get; }

    /// <summary>From when on nobody is let in by it.</summary>
    public DateTimeOffset End { get; }

    /// <summary>The one that the environment holds; null when it holds none.</summary>
    /// <param name="environment">Gives the value of a variable, or null.</param>
    /// <param name="clock">Tells whether it has ended.</param>
    /// <exception cref="RegistryException">Denied: it is none, or none of user delegation, or not of now. It is not repeated.</exception>
    public static DelegationSas? Read(Func<string, string?> environment, TimeProvider clock) =>
        environment(Variable)?.Trim() is { Length: > 0 } text ? Parse(text, clock) : null;

    /// <exception cref="RegistryException">Denied: it has ended.</exception>
    public void CheckEnd()
    {
        if (clock.GetUtcNow() >= End)
            throw Refused($"it ended at {Show(End)}", Remedy);
    }

    public override string ToString() => Variable;

    static DelegationSas Parse(string text, TimeProvider clock)
    {
        if (text.Contains("://", StringComparison.Ordinal))
            throw Refused("it is an address", "Set it to what stands behind '?' there");
        var query = text.TrimStart('?');
        if (!Form().IsMatch(query))
            throw Refused("it is no shared access signature", Remedy);
        var fields = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        foreach (var pair in query.Split('&').Select(p => p.Split('=', 2)))
        {
            if (!fields.TryAdd(pair[0], Uri.UnescapeDataString(pair[1])))
                throw Refused("a part of it is there twice", Remedy);
        }
        CheckKind(fields);
        var sas = new DelegationSas(query, new[] { Time("se"), Time("ske") }.Min(), clock);
        sas.CheckEnd();
        var begin = fields.ContainsKey("st") ? new[] { Time("st"), Time("skt") }.Max() : Time("skt");
        if (begin > clock.GetUtcNow() + Skew)
            throw Refused($"it does not hold before {Show(begin)}", "Wait, or set this machine's clock");
        return sas;

        DateTimeOffset Time(string name) => DateTimeOffset.TryParse(fields[name], CultureInfo.InvariantCulture,
            DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out var time)
            ? time : throw Refused($"its part '{name}' is no time", Remedy);
    }

    static void CheckKind(Dictionary<string, string> fields)
    {
        if (fields.ContainsKey("ss") || fields.ContainsKey("srt"))
            throw Refused("it is one of the whole account, made with the account's key", Remedy);
        if (fields.ContainsKey("si") || !Delegation.Any(fields.ContainsKey))
            throw Refused("it was made with the account's key", Remedy);
        foreach (var name in Delegation.Concat(["sv", "sr", "sp", "se", "sig"]))
        {
            if (!fields.TryGetValue(name, out var value) || value.Length is 0)
                throw Refused($"its part '{name}' is missing", Remedy);
        }
        foreach (var name in new[] { "skoid", "sktid" })
        {
            if (!Guid.TryParse(fields[name], out _))
                throw Refused($"its part '{name}' is no id of Entra ID", Remedy);
        }
        if (fields["sks"] is not "b")
            throw Refused("it is one of another service", Remedy);
        if (fields["sr"] is not ("c" or "d"))
            throw Refused("it opens single blobs, and a registry is a container", Remedy);
        if (!fields["sp"].Contains('r') || !fields["sp"].Contains('l'))
            throw Refused("it does not permit to read and to list (r and l)", Remedy);
    }

    static string Show(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);

    static RegistryException Refused(string what, string remedy) => new(RegistryErrorKind.Denied, Variable, $"{what}. {remedy}.");

    [GeneratedRegex(@"^[A-Za-z0-9]+=[A-Za-z0-9%+/=._~:,-]*(&[A-Za-z0-9]+=[A-Za-z0-9%+/=._~:,-]*)*\z", RegexOptions.CultureInvariant)]
    private static partial Regex Form();
}
