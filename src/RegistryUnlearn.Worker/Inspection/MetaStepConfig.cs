using System.Text.Json;
using RegistryUnlearn.Onnx.Losses;
using RegistryUnlearn.Worker.Files;

namespace RegistryUnlearn.Worker.Inspection;

/// <summary>The numbers of one learning-to-unlearn step.</summary>
/// <param name="Alpha">Rate of the inner step, ≥ 0.</param>
/// <param name="Lambda">Weight of the query losses, ≥ 0.</param>
/// <param name="Eta">Rate of the update, ≥ 0.</param>
/// <param name="ForgetWeight">w_f, ≥ 0.</param>
/// <param name="Support">Row of the membership model of the support batch.</param>
/// <param name="Queries">Rows of those of the query batches, at least one.</param>
public sealed record MetaStepConfig(float Alpha, float Lambda, float Eta, float ForgetWeight, int Support, IReadOnlyList<int> Queries)
{
    static readonly string[] Fields = ["alpha", "lambda", "eta", "forget_weight", "mi_support", "mi_query"];

    /// <summary>Reads a JSON file with exactly these fields and, optionally, <c>eps</c>.</summary>
    /// <exception cref="InputException">Not JSON, or fields that are missing, unknown or out of range: all of them are named.</exception>
    public static MetaStepConfig Read(string path)
    {
        using var document = JsonFile.Parse(path);
        var root = document.RootElement;
        if (root.ValueKind is not JsonValueKind.Object) throw new InputException(path, "is not a JSON object");
        var errors = new List<string>();
        foreach (var field in Fields.Where(f => !root.TryGetProperty(f, out _)))
            errors.Add($"field '{field}' is missing");
        foreach (var field in root.EnumerateObject().Where(f => f.Name != "eps" && !Fields.Contains(f.Name)))
            errors.Add($"field '{field.Name}' is unknown; known are {string.Join(", ", Fields)}, eps");
        if (root.TryGetProperty("eps", out var eps)
            && !(eps.ValueKind is JsonValueKind.Number && eps.TryGetSingle(out var value) && value == MembershipLosses.Epsilon))
            errors.Add($"field 'eps' is {eps.GetRawText()}; only 1e-6 is supported");
        var config = new MetaStepConfig(
            Number("alpha"), Number("lambda"), Number("eta"), Number("forget_weight"),
            root.TryGetProperty("mi_support", out var support) ? Row("mi_support", support) : 0,
            root.TryGetProperty("mi_query", out var queries) ? Rows(queries) : []);
        return errors.Count == 0 ? config : throw new InputException(path, errors);

        float Number(string name)
        {
            if (!root.TryGetProperty(name, out var field)) return 0;
            if (field.ValueKind is JsonValueKind.Number && field.TryGetSingle(out var number) && float.IsFinite(number) && number >= 0)
                return number;
            errors.Add($"field '{name}' is {field.GetRawText()}; give a number that is not negative");
            return 0;
        }

        int Row(string name, JsonElement field)
        {
            if (field.ValueKind is JsonValueKind.Number && field.TryGetInt32(out var row) && row >= 0) return row;
            errors.Add($"field '{name}' is {field.GetRawText()}; give the row of a membership model, counted from 0");
            return 0;
        }

        int[] Rows(JsonElement field)
        {
            if (field.ValueKind is JsonValueKind.Array && field.GetArrayLength() > 0)
                return [.. field.EnumerateArray().Select((row, m) => Row($"mi_query[{m}]", row))];
            errors.Add($"field 'mi_query' is {field.GetRawText()}; give an array with one row per forgetting query batch, at least one");
            return [];
        }
    }
}
