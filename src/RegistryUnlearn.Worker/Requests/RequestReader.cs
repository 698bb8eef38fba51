using System.Text.Json;
using RegistryUnlearn.Auditing;
using RegistryUnlearn.Onnx.Models;
using RegistryUnlearn.Registry;
using RegistryUnlearn.Unlearning.Defences;
using RegistryUnlearn.Unlearning.Methods;

namespace RegistryUnlearn.Worker.Requests;

/// <summary>Turns the JSON of a request into a checked <see cref="UnlearningRequest"/>.</summary>
public static class RequestReader
{
    /// <summary>Axes that a tensor can have at most, far beyond any model.</summary>
    const int MaxRank = 64;

    static readonly OrderedDictionary<string, ParentPolicy> Policies = new(StringComparer.Ordinal)
    {
        ["keep"] = ParentPolicy.Keep,
        ["quarantine"] = ParentPolicy.Quarantine,
        ["delete"] = ParentPolicy.Delete,
    };

    /// <param name="source">Where the request comes from, for messages.</param>
    /// <exception cref="InputException">All that is wrong with the request, at once.</exception>
    public static UnlearningRequest Read(string json, string source)
    {
        var errors = new List<string>();
        using var document = RequestDocument.Parse(json, source);
        var request = Read(new JsonFields(document.RootElement, "", errors), errors);
        return errors.Count == 0 ? request! : throw new InputException(source, errors);
    }

    static UnlearningRequest? Read(JsonFields fields, List<string> errors)
    {
        if (fields.WholeNumber("schemaVersion", "1") is { } version and not UnlearningRequest.CurrentSchemaVersion)
            fields.Error("schemaVersion", $"is {version}; this release reads {UnlearningRequest.CurrentSchemaVersion}");
        var model = Parse<ModelReference>(fields, "model", "a reference such as name@7 or name:production");
        var method = fields.Optional("method") is { } chosen
            ? ReadMethod(chosen, fields.Path("method"), errors)
            : new MethodChoice(MethodCatalog.Default, MethodCatalog.Default.ReadOptions(new OptionReader(default, "", errors)));
        var seed = fields.WholeNumber("seed", "a number that decides every random choice");
        var data = ReadData(fields.Object("data", "the data sets"), errors);
        var forget = ReadForget(fields.Object("forget", "the samples to forget", holdsIds: true));
        var retain = ReadRetained(fields.Object("retain", "{\"fraction\": 0.1, \"seed\": 1} or {\"ids\": […]}", holdsIds: true));
        var audit = ReadAudit(fields.Object("audit"), errors);
        var (policy, alias, defence) = ReadPublish(fields.Object("publish"), errors);
        var parameters = ReadParameters(fields.Object("parameters"));
        var logits = new LogitChoice(fields.Text("logits"), fields.Integer("classAxis", -MaxRank, MaxRank));
        fields.Finish();
        return errors.Count > 0 ? null : new UnlearningRequest
        {
            Model = model!.Value,
            Method = method!,
            Seed = seed!.Value,
            Data = data!,
            Forget = forget!.Value.Ids,
            ForgetGroups = forget.Value.Groups,
            Retain = retain!,
            Audit = audit,
            ParentPolicy = policy,
            Alias = alias,
            Defence = defence,
            Parameters = parameters,
            Logits = logits,
        };
    }

    static MethodChoice? ReadMethod(JsonElement given, string path, List<string> errors)
    {
        var known = string.Join(", ", MethodCatalog.All.Select(m => m.Name));
        if (given.ValueKind is JsonValueKind.String)
            return Find(given.GetString()!, default);
        var fields = new JsonFields(given, path, errors);
        var name = fields.Text("name", $"one of {known}");
        var options = fields.Optional("options") ?? default;
        fields.Finish();
        return name is null ? null : Find(name, options);

        MethodChoice? Find(string name, JsonElement options)
        {
            if (MethodCatalog.Find(name) is not { } method)
            {
                errors.Add($"{path} names the method '{name}'; known are {known}");
                return null;
            }
            if (options.ValueKind is JsonValueKind.Object && options.EnumerateObject().CountBy(o => o.Name).Any(o => o.Value > 1))
                errors.Add($"{path}.options gives a field twice; give it once");
            var reader = new OptionReader(options, path + ".options", errors);
            var read = method.ReadOptions(reader);
            reader.Finish();
            return new MethodChoice(method, read);
        }
    }

    static RequestedData? ReadData(JsonFields? fields, List<string> errors)
    {
        if (fields is null)
            return null;
        var train = ReadFile(fields.Object("train", "the file that the model was trained on"), errors);
        var holdout = ReadFile(fields.Object("holdout"), errors);
        var test = ReadFile(fields.Object("test"), errors);
        var normalization = fields.Object("normalization");
        var scale = normalization?.Number("scale", 1e-30, 1e30) ?? 1;
        float[] mean = normalization?.Floats("mean") ?? [0], std = normalization?.Floats("std") ?? [1];
        if (mean.Length != std.Length || mean.Length == 0)
            normalization?.Error("mean", $"has {mean.Length} values and std has {std.Length}; give one of each per channel");
        if (std.Any(s => s <= 0))
            normalization?.Error("std", "has a value that is not positive; give standard deviations");
        normalization?.Finish();
        var arrays = fields.Object("arrays");
        var names = new ArrayNames(
            arrays?.Text("inputs") ?? "x", arrays?.Text("labels") ?? "y",
            arrays?.Text("ids"), arrays?.Text("trueLabels"), arrays?.Text("groups"));
        arrays?.Finish();
        fields.Finish();
        return train is null ? null : new RequestedData(train, holdout, test, (float)scale, mean, std, names);
    }

    static DataFile? ReadFile(JsonFields? fields, List<string> errors)
    {
        if (fields is null)
            return null;
        var path = fields.Text("path", "a path relative to the registry's root");
        CheckPath(fields, "path", path);
        Digest? digest = null;
        if (fields.Text("sha256") is { } hex)
        {
            if (Digest.TryParse(hex.StartsWith("sha256:", StringComparison.Ordinal) ? hex : "sha256:" + hex, out var parsed))
                digest = parsed;
            else
                fields.Error("sha256", "is no SHA-256; give 64 hexadecimal digits");
        }
        fields.Finish();
        return path is null ? null : new DataFile(path, digest);
    }

    static void CheckPath(JsonFields fields, string name, string? path)
    {
        if (path is null)
            return;
        try
        {
            ObjectPath.Check(path);
        }
        catch (Exception e) when (e is RegistryException or FormatException or ArgumentException)
        {
            fields.Error(name, $"is no path inside the registry: {e.Message}");
        }
    }

    static (List<string> Ids, List<string> Groups)? ReadForget(JsonFields? fields)
    {
        if (fields is null)
            return null;
        var groups = fields.Texts("groups", "groups");
        var ids = fields.Texts("ids", "sample ids", groups is null ? "a list of sample ids" : null);
        if (ids is { Count: 0 })
            fields.Error("ids", "is empty; name at least one sample");
        if (groups is { Count: 0 })
            fields.Error("groups", "is empty; name at least one group");
        fields.Finish();
        return (ids ?? [], groups ?? []);
    }

    static RetainedChoice? ReadRetained(JsonFields? fields)
    {
        if (fields is null)
            return null;
        var fraction = fields.Number("fraction", 1e-9, 1);
        var seed = fields.WholeNumber("seed") ?? 0;
        var ids = fields.Texts("ids", "sample ids");
        if (fraction is null == ids is null)
            fields.Error("fraction", "and ids: give exactly one of them");
        if (ids is { Count: 0 })
            fields.Error("ids", "is empty; name at least one sample");
        fields.Finish();
        return new RetainedChoice(fraction, seed, ids);
    }

    static RequestedAudit ReadAudit(JsonFields? fields, List<string> errors)
    {
        if (fields is null)
            return new RequestedAudit(null, [], null);
        var oracles = fields.Text("oracles");
        CheckPath(fields, "oracles", oracles);
        var pool = fields.Text("pool");
        if (pool is not null && (pool.Length != 64 || pool.AsSpan().IndexOfAnyExcept("0123456789abcdef") >= 0))
            fields.Error("pool", "is no id of a pool; give the 64 hexadecimal digits that audit oracles prints");
        var compare = fields.List("compare", "method names", (entry, path) => ReadMethod(entry, path, errors)) ?? [];
        var gates = fields.List("gates", "gates", (entry, path) => ReadGate(new JsonFields(entry, path, errors)));
        fields.Finish();
        return new RequestedAudit(oracles, compare, gates, pool);
    }

    static Gate? ReadGate(JsonFields fields)
    {
        var metric = fields.Text("metric", "the name of a metric");
        if (metric is not null && MetricCatalogue.Known.All(m => m.Name != metric))
            fields.Error("metric", $"is '{metric}'; known are {string.Join(", ", MetricCatalogue.Known.Select(m => m.Name))}");
        double? atMost = fields.Number("atMost", -1e300, 1e300), atLeast = fields.Number("atLeast", -1e300, 1e300);
        if (atMost is null == atLeast is null)
            fields.Error("atMost", "and atLeast: give exactly one of them");
        fields.Finish();
        return metric is null || (atMost ?? atLeast) is not { } threshold ? null
            : new Gate(metric, atMost is not null ? GateComparison.AtMost : GateComparison.AtLeast, threshold);
    }

    static (ParentPolicy, Alias?, DefenceOptions) ReadPublish(JsonFields? fields, List<string> errors)
    {
        if (fields is null)
            return (ParentPolicy.Quarantine, null, DefenceOptions.None);
        var policy = ParentPolicy.Quarantine;
        if (fields.Text("parent") is { } text && !Policies.TryGetValue(text, out policy))
            fields.Error("parent", $"is '{text}'; give one of {string.Join(", ", Policies.Keys)}");
        var alias = fields.Optional("alias") is null ? null : Parse<Alias>(fields, "alias", "the name of an alias");
        var reader = new OptionReader(fields.Optional("defence") ?? default, fields.Path("defence"), errors);
        var defence = DefenceOptions.Read(reader);
        reader.Finish();
        fields.Finish();
        return (policy, alias, defence);
    }

    static ParameterPatterns ReadParameters(JsonFields? fields)
    {
        if (fields is null)
            return ParameterPatterns.Default;
        var patterns = new ParameterPatterns(fields.Texts("include", "patterns") ?? [], fields.Texts("exclude", "patterns") ?? []);
        fields.Finish();
        return patterns;
    }

    static T? Parse<T>(JsonFields fields, string name, string what) where T : struct, IParsable<T>
    {
        if (fields.Text(name, what) is not { } text)
            return null;
        if (T.TryParse(text, null, out var value))
            return value;
        fields.Error(name, $"is '{text}'; give {what}");
        return null;
    }
}
