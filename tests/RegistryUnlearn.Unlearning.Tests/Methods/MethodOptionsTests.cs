using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using RegistryUnlearn.Unlearning.Methods;

namespace RegistryUnlearn.Unlearning.Tests.Methods;

/// <summary>The options of every method: ranges, spellings, and what a reader of the record gets to see.</summary>
public class MethodOptionsTests
{
    static readonly JsonSerializerOptions Json = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.KebabCaseLower) },
    };

    static readonly (string Field, string Min, string Max)[] Optimizer =
        [("learningRate", "1E-08", "10"), ("momentum", "0", "0.999"), ("weightDecay", "0", "1")];

    static readonly (string Field, string Min, string Max)[] Stop = [("tolerance", "0", "1"), ("evaluateEvery", "1", "1000000")];

    static readonly (string Field, string Min, string Max)[] Steps = [("steps", "1", "1000000"), ("batch", "1", "65536")];

    /// <summary>Of methods that keep parameters, which decay would move.</summary>
    static readonly (string Field, string Min, string Max)[] Still = [.. Optimizer[..2], ("weightDecay", "0", "0")];

    static readonly (string Field, string Min, string Max)[] Match =
    [
        ("steps", "1", "1000000"), ("forgetWeight", "0", "1000"), ("forgetBatch", "2", "65536"), ("retainedBatch", "2", "65536"),
        ("holdoutBatch", "2", "65536"), ("viewBatch", "2", "65536"), ("preservationWeight", "0", "100"), ("otherClasses", "0", "100"),
        ("evaluateEvery", "1", "1000000"), ("damping", "1E-06", "1000000"), .. Optimizer,
    ];

    static readonly (string Field, string[] Values)[] OptimizerChoices =
        [("optimizer", ["sgd", "adamw"]), ("schedule", ["constant", "linear", "cosine"])];

    static readonly (string Field, string[] Values)[] StoppedChoices = [("stop", ["holdout", "none"]), .. OptimizerChoices];

    static readonly (string Field, string[] Values)[] MatchChoices =
    [
        ("views", ["auto", "half-shifts", "shifts-flips", "perturbations"]), ("preservation", ["pool", "none"]), ("preconditioner", ["none", "kfac"]),
        .. OptimizerChoices,
    ];

    static readonly Dictionary<string, (string Field, string Min, string Max)[]> Ranges = new()
    {
        ["train"] = [("epochs", "1", "100000"), ("batch", "1", "65536"), .. Optimizer],
        ["finetune"] = [("steps", "1", "1000000"), ("batch", "1", "65536"), .. Optimizer, .. Stop],
        ["neggrad+"] =
        [
            ("alpha", "0", "1"), ("steps", "1", "1000000"), ("batch", "1", "65536"), ("anchor", "0", "100"), .. Optimizer, .. Stop,
        ],
        ["lur"] = [("alpha", "0", "1"), ("forgetWeight", "0", "1000"), .. Steps, .. Optimizer, .. Stop],
        ["srl"] = [("forgetWeight", "0", "1000"), .. Steps, .. Optimizer, .. Stop],
        ["salun"] = [("share", "0", "1"), ("forgetWeight", "0", "1000"), .. Steps, .. Still, .. Stop],
        ["scrub"] =
        [
            ("labelWeight", "0", "1000"), ("teacherWeight", "0", "1000"), ("forgetWeight", "0", "1000"), ("forgetShare", "0", "1"),
            ("temperature", "0.5", "100"), .. Steps, .. Optimizer, .. Stop,
        ],
        ["bad-teacher"] = [("forgetWeight", "0", "1000"), ("temperature", "0.5", "100"), .. Steps, .. Optimizer, .. Stop],
        ["l1-sparse"] = [("sparsity", "0", "1"), .. Steps, .. Optimizer, .. Stop],
        ["cf-k"] = [("layers", "1", "1000"), .. Steps, .. Still, .. Stop],
        ["eu-k"] = [("layers", "1", "1000"), .. Steps, .. Still, .. Stop],
        ["msg"] = [("share", "0", "1"), ("damping", "0", "1"), .. Steps, .. Optimizer, .. Stop],
        ["ct"] = [.. Steps, .. Optimizer, .. Stop],
        ["retrain"] = [("epochs", "1", "100000"), ("batch", "1", "65536"), .. Optimizer],
        ["match"] = [.. Match],
        ["ltu"] =
        [
            ("alpha", "0", "1"), ("lambda", "0", "100"), ("queries", "1", "16"), ("membershipModels", "2", "16"), ("refit", "1", "1000000"),
            .. Match,
        ],
    };

    static readonly Dictionary<string, (string Field, string[] Values)[]> Choices = new()
    {
        ["train"] = OptimizerChoices,
        ["finetune"] = StoppedChoices,
        ["neggrad+"] = StoppedChoices,
        ["lur"] = [("order", ["exact", "first"]), .. StoppedChoices],
        ["srl"] = StoppedChoices,
        ["salun"] = StoppedChoices,
        ["scrub"] = StoppedChoices,
        ["bad-teacher"] = StoppedChoices,
        ["l1-sparse"] = StoppedChoices,
        ["cf-k"] = StoppedChoices,
        ["eu-k"] = StoppedChoices,
        ["msg"] = StoppedChoices,
        ["ct"] = StoppedChoices,
        ["retrain"] = OptimizerChoices,
        ["match"] = [("target", ["views", "quantile"]), .. MatchChoices],
        ["ltu"] =
        [
            ("target", ["views", "quantile", "non-member", "hinge"]), ("order", ["exact", "first", "off"]),
            ("scope", ["global", "tensor"]), ("harmonization", ["off", "symmetric", "protect-remember"]), .. MatchChoices,
        ],
    };

    public static TheoryData<string, string, string, string> Bounds { get; } =
        new(Ranges.SelectMany(m => m.Value.Select(f => (m.Key, f.Field, f.Min, f.Max))));

    public static TheoryData<string, string, string> Spellings { get; } =
        new(Choices.SelectMany(m => m.Value.SelectMany(f => f.Values.Select(v => (m.Key, f.Field, v)))));

    public static TheoryData<string> Names { get; } = new(MethodCatalog.All.Select(m => m.Name));

    [Fact]
    public void The_catalogue_is_known_by_name()
    {
        Assert.Equal(
            [
                "bad-teacher", "cf-k", "ct", "eu-k", "finetune", "l1-sparse", "ltu", "lur", "match", "msg", "neggrad+", "retrain", "salun",
                "scrub", "srl", "train",
            ],
            MethodCatalog.All.Select(m => m.Name));
        Assert.All(MethodCatalog.All, method => Assert.Same(method, MethodCatalog.Find(method.Name)));
        Assert.All(MethodCatalog.All, method => Assert.InRange(method.Summary.Length, 20, 160));
        Assert.Null(MethodCatalog.Find("LTU"));
    }

    [Theory, MemberData(nameof(Bounds))]
    public void Numbers_have_bounds(string method, string field, string min, string max)
    {
        foreach (var edge in new[] { min, max })
        {
            var (options, errors) = Tiny.Read(MethodCatalog.Find(method)!, $$"""{"{{field}}": {{edge}}}""");
            Assert.Empty(errors);
            Assert.Equal(float.Parse(edge, CultureInfo.InvariantCulture), Field(options, field).GetSingle());
        }

        var below = min is "1E-08" or "1E-06" or "0.5" ? "1e-9" : Beside(min, -1);
        var above = max is "0.999" ? "0.9991" : Beside(max, 1);
        foreach (var outside in new[] { below, above })
            Assert.Equal([$"options.{field} is {outside}; give a number from {min} to {max}"],
                Tiny.Read(MethodCatalog.Find(method)!, $$"""{"{{field}}": {{outside}}}""").Errors);
    }

    [Theory, MemberData(nameof(Spellings))]
    public void Choices_are_read_as_they_are_written(string method, string field, string value) =>
        Assert.Equal(value, Field(Tiny.Options(MethodCatalog.Find(method)!, $$"""{"{{field}}": "{{value}}"}"""), field).GetString());

    /// <summary>The defaults, read from their own spelling, are the same options: none lies outside its range and no field is
    /// forgotten.</summary>
    [Theory, MemberData(nameof(Names))]
    public void Defaults_survive_being_written_and_read(string name)
    {
        var method = MethodCatalog.Find(name)!;
        var defaults = Tiny.Options(method, "{}");
        var written = JsonSerializer.SerializeToElement(defaults, defaults.GetType(), Json);
        var flat = Leaves(written).ToDictionary(f => f.Name, f => f.Value);

        Assert.Equal(Ranges[name].Select(r => r.Field).Concat(Choices[name].Select(c => c.Field)).Order(), flat.Keys.Order());
        Assert.Equal(defaults, written.Deserialize(defaults.GetType(), Json));
        Assert.Equal(defaults, Tiny.Options(method, JsonSerializer.Serialize(flat)));
    }

    [Theory, MemberData(nameof(Names))]
    public void A_field_of_another_method_is_unknown(string name) =>
        Assert.StartsWith("options.colour is unknown; known are ",
            Assert.Single(Tiny.Read(MethodCatalog.Find(name)!, """{"colour": 1}""").Errors));

    static string Beside(string whole, int step) =>
        (int.Parse(whole, CultureInfo.InvariantCulture) + step).ToString(CultureInfo.InvariantCulture);

    static JsonElement Field(object options, string name) =>
        Leaves(JsonSerializer.SerializeToElement(options, options.GetType(), Json)).Single(f => f.Name == name).Value;

    static IEnumerable<JsonProperty> Leaves(JsonElement element) =>
        element.EnumerateObject().SelectMany(f => f.Value.ValueKind is JsonValueKind.Object ? Leaves(f.Value) : [f]);
}
