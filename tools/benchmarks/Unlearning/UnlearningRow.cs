using System.Text.Json;
using System.Text.Json.Serialization;
using RegistryUnlearn.Unlearning.Methods;

namespace RegistryUnlearn.Benchmarks.Unlearning;

/// <summary>A row of the table: a method with its options, under the name that the table gives it.</summary>
/// <param name="Options">As in a request; absent for the defaults.</param>
/// <param name="Fraction">Share of the retained data for methods that need more than the others; absent for that of the table.</param>
sealed record UnlearningRow(string Name, string Method, JsonElement Options = default, double? Fraction = null)
{
    public const string NothingDone = "nothing done";

    static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        ReadCommentHandling = JsonCommentHandling.Skip,
    };

    /// <exception cref="ArgumentException">A row has the name of another, or options that its method does not take.</exception>
    public static IReadOnlyList<UnlearningRow> Read(string file)
    {
        var rows = JsonSerializer.Deserialize<UnlearningRow[]>(File.ReadAllBytes(file), Json)!;
        foreach (var row in rows)
        {
            if (rows.Count(r => r.Name == row.Name) > 1)
                throw new ArgumentException($"{file}: there are two rows '{row.Name}'");
            row.Open();
        }
        return rows;
    }

    public (IUnlearningMethod Method, object Options) Open()
    {
        var method = MethodCatalog.Find(Method) ?? throw new ArgumentException($"row '{Name}': there is no method '{Method}'");
        var errors = new List<string>();
        var reader = new OptionReader(Options, $"row '{Name}'", errors);
        var options = method.ReadOptions(reader);
        reader.Finish();
        return errors.Count is 0 ? (method, options) : throw new ArgumentException(string.Join("; ", errors));
    }
}

/// <summary>What one run came to.</summary>
/// <param name="Seconds">Of all cores, from the first look at the data to the last step; without measuring.</param>
/// <param name="Metrics">As the audit names them.</param>
sealed record UnlearningResult(
    string Case, double Fraction, string Row, ulong Seed, double Seconds, IReadOnlyDictionary<string, double> Metrics,
    IReadOnlyList<string> Notes);
