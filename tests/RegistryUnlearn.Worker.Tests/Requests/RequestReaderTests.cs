using System.Text.Json.Nodes;
using RegistryUnlearn.Faults;
using RegistryUnlearn.Onnx.Models;
using RegistryUnlearn.Registry;
using RegistryUnlearn.Unlearning.Methods;
using RegistryUnlearn.Unlearning.Methods.FineTune;
using RegistryUnlearn.Unlearning.Runs;
using RegistryUnlearn.Worker.Requests;

namespace RegistryUnlearn.Worker.Tests.Requests;

public sealed class RequestReaderTests
{
    const string Methods =
        "bad-teacher, cf-k, ct, eu-k, finetune, l1-sparse, ltu, lur, match, msg, neggrad+, retrain, salun, scrub, srl, train";

    const string Metrics = "is 'beauty'; known are ";

    /// <summary>A change of a good request, as a merge patch (RFC 7396), and everything that is then wrong.</summary>
    public static TheoryData<string, string[]> Wrong => new()
    {
        { "{ \"schemaVersion\": null }", ["schemaVersion is missing; give 1"] },
        { "{ \"schemaVersion\": 2 }", ["schemaVersion is 2; this release reads 1"] },
        { "{ \"model\": null }", ["model is missing; give a reference such as name@7 or name:production"] },
        { "{ \"model\": \"../tiny@1\" }", ["model is '../tiny@1'; give a reference such as name@7 or name:production"] },
        { "{ \"model\": \"tiny@0\" }", ["model is 'tiny@0'; give a reference such as name@7 or name:production"] },
        { "{ \"model\": 7 }", ["model is a number; give a text"] },
        { "{ \"seed\": -1 }", ["seed is -1; give a whole number from 0 to 18446744073709551615"] },
        { "{ \"seed\": 1.5 }", ["seed is 1.5; give a whole number from 0 to 18446744073709551615"] },
        { "{ \"seed\": [\"train-3\"] }", ["seed is a list; give a whole number from 0 to 18446744073709551615"] },

        { "{ \"method\": { \"name\": \"magic\" } }", ["method names the method 'magic'; known are " + Methods] },
        { "{ \"method\": { \"name\": null } }", ["method.name is missing; give one of " + Methods] },
        { "{ \"method\": { \"options\": { \"steps\": 0 } } }", ["method.options.steps is 0; give a number from 1 to 1000000"] },
        { "{ \"method\": { \"options\": { \"steps\": 2.5 } } }", ["method.options.steps is 2.5; give a whole number"] },
        {
            "{ \"method\": { \"options\": { \"optimizer\": \"lion\" } } }",
            ["method.options.optimizer is \"lion\"; give one of sgd, adamw"]
        },
        {
            "{ \"method\": { \"options\": { \"stepz\": 3 } } }",
            [
                "method.options.stepz is unknown; known are batch, evaluateEvery, learningRate, momentum, optimizer, schedule, "
                    + "steps, stop, tolerance, weightDecay",
            ]
        },
        { "{ \"method\": { \"options\": 3 } }", ["method.options is number; give an object"] },
        { "{ \"method\": { \"speed\": 3 } }", ["method.speed is unknown; known are name, options"] },

        { "{ \"data\": null }", ["data is missing; give the data sets"] },
        { "{ \"data\": { \"train\": null } }", ["data.train is missing; give the file that the model was trained on"] },
        { "{ \"data\": { \"train\": { \"path\": null } } }", ["data.train.path is missing; give a path relative to the registry's root"] },
        {
            "{ \"data\": { \"train\": { \"path\": \"../train.npz\" } } }",
            ["data.train.path is no path inside the registry: ../train.npz: a path must not step out of its folder. Rename it."]
        },
        {
            "{ \"data\": { \"test\": { \"path\": \"/etc/passwd\" } } }",
            ["data.test.path is no path inside the registry: /etc/passwd: a path is relative and has no empty segment. Rename it."]
        },
        { "{ \"data\": { \"test\": { \"sha256\": \"12\" } } }", ["data.test.sha256 is no SHA-256; give 64 hexadecimal digits"] },
        { "{ \"data\": { \"normalization\": { \"scale\": 0 } } }", ["data.normalization.scale is 0; give a number from 1E-30 to 1E+30"] },
        {
            "{ \"data\": { \"normalization\": { \"mean\": [0, 1] } } }",
            ["data.normalization.mean has 2 values and std has 1; give one of each per channel"]
        },
        {
            "{ \"data\": { \"normalization\": { \"mean\": [0], \"std\": [0] } } }",
            ["data.normalization.std has a value that is not positive; give standard deviations"]
        },
        {
            "{ \"data\": { \"normalization\": { \"mean\": [\"0\"], \"std\": [1] } } }",
            [
                "data.normalization.mean[0] is a text; give a number",
                "data.normalization.mean has 0 values and std has 1; give one of each per channel",
            ]
        },
        { "{ \"data\": { \"valid\": {} } }", ["data.valid is unknown; known are arrays, holdout, normalization, test, train"] },

        { "{ \"forget\": null }", ["forget is missing; give the samples to forget"] },
        { "{ \"forget\": [\"train-3\"] }", ["forget is a list; give an object", "forget.ids is missing; give a list of sample ids"] },
        { "{ \"forget\": { \"groups\": [] } }", ["forget.groups is empty; name at least one group"] },
        { "{ \"forget\": { \"groups\": [\"a\", 7] } }", ["forget.groups has 1 entries that are no texts; give groups as texts"] },
        { "{ \"forget\": { \"ids\": [] } }", ["forget.ids is empty; name at least one sample"] },
        { "{ \"forget\": { \"ids\": \"train-3\" } }", ["forget.ids is a text; give a list of sample ids"] },
        { "{ \"forget\": { \"ids\": [\"train-3\", 5, \"\"] } }", ["forget.ids has 2 entries that are no texts; give sample ids as texts"] },
        { "{ \"forget\": { \"train-3\": true } }", ["forget has 1 unknown fields; known are groups, ids"] },

        { "{ \"retain\": null }", ["retain is missing; give {\"fraction\": 0.1, \"seed\": 1} or {\"ids\": […]}"] },
        { "{ \"retain\": { \"fraction\": null } }", ["retain.fraction and ids: give exactly one of them"] },
        { "{ \"retain\": { \"ids\": [\"train-1\"] } }", ["retain.fraction and ids: give exactly one of them"] },
        {
            "{ \"retain\": { \"fraction\": 1.5 } }",
            ["retain.fraction is 1.5; give a number from 1E-09 to 1", "retain.fraction and ids: give exactly one of them"]
        },
        {
            "{ \"retain\": { \"fraction\": [\"train-1\"] } }",
            ["retain.fraction is a list; give a number from 1E-09 to 1", "retain.fraction and ids: give exactly one of them"]
        },
        { "{ \"retain\": { \"fraction\": null, \"ids\": [] } }", ["retain.ids is empty; name at least one sample"] },

        {
            "{ \"audit\": { \"oracles\": \"a//b\" } }",
            ["audit.oracles is no path inside the registry: a//b: a path is relative and has no empty segment. Rename it."]
        },
        {
            "{ \"audit\": { \"compare\": [\"ltu\", \"magic\"] } }",
            ["audit.compare[1] names the method 'magic'; known are " + Methods]
        },
        { "{ \"audit\": { \"gates\": [{ \"metric\": \"h\" }] } }", ["audit.gates[0].atMost and atLeast: give exactly one of them"] },
        {
            "{ \"audit\": { \"gates\": [{ \"metric\": \"h\", \"atMost\": 1, \"atLeast\": 1 }] } }",
            ["audit.gates[0].atMost and atLeast: give exactly one of them"]
        },
        {
            "{ \"audit\": { \"pool\": \"../x\" } }",
            ["audit.pool is no id of a pool; give the 64 hexadecimal digits that audit oracles prints"]
        },
        { "{ \"audit\": { \"gates\": [{ \"metric\": \"beauty\", \"atMost\": 1 }] } }", ["audit.gates[0].metric " + Metrics] },

        { "{ \"publish\": { \"parent\": \"burn\" } }", ["publish.parent is 'burn'; give one of keep, quarantine, delete"] },
        { "{ \"publish\": { \"parent\": \"2\" } }", ["publish.parent is '2'; give one of keep, quarantine, delete"] },
        { "{ \"publish\": { \"parent\": \"keep, delete\" } }", ["publish.parent is 'keep, delete'; give one of keep, quarantine, delete"] },
        { "{ \"publish\": { \"alias\": \"a/b\" } }", ["publish.alias is 'a/b'; give the name of an alias"] },
        { "{ \"parameters\": { \"include\": \"fc1\" } }", ["parameters.include is a text; give a list of patterns"] },
        { "{ \"logits\": 3 }", ["logits is a number; give a text"] },
        { "{ \"classAxis\": 1.5 }", ["classAxis is 1.5; give a whole number from -64 to 64"] },
        {
            "{ \"surprise\": 3, \"model\": null, \"forget\": { \"ids\": [] }, \"publish\": { \"alias\": 1, \"when\": 2 } }",
            [
                "model is missing; give a reference such as name@7 or name:production", "forget.ids is empty; name at least one sample",
                "publish.alias is a number; give a text", "publish.when is unknown; known are alias, defence, parent",
                "surprise is unknown; known are audit, classAxis, data, forget, logits, method, model, parameters, publish, retain, "
                    + "schemaVersion, seed",
            ]
        },
    };

    [Theory, MemberData(nameof(Wrong))]
    public void Everything_wrong_is_said_at_once(string patch, string[] expected)
    {
        var request = TinyRegistry.Request(r => Merge(r, JsonNode.Parse(patch)!.AsObject()));
        var refusal = Assert.Throws<InputException>(() => RequestReader.Read(request, "request.json"));
        Assert.Equal(expected, refusal.Errors.Select(e => e.Contains(Metrics) ? e[..(e.IndexOf(Metrics) + Metrics.Length)] : e));
        Assert.StartsWith("request.json: ", refusal.Message);
        Assert.DoesNotContain("train-3", refusal.Message);
    }

    [Theory]
    [InlineData("", "the request is not JSON (line 1, byte 1); correct it there")]
    [InlineData("{\n\"forget\": train-3 }", "the request is not JSON (line 2, byte 13); correct it there")]
    [InlineData("[]", "the request is a list; give an object")]
    [InlineData("{\"seed\": 1, \"seed\": 2}", "seed is given twice; give it once")]
    [InlineData("{\"forget\": {\"train-3\": 1, \"train-3\": 2}}", "a field of forget is given twice; give it once")]
    [InlineData(
        "{\"method\": {\"name\": \"ltu\", \"options\": {\"steps\": 1, \"steps\": 2}}}",
        "method.options gives a field twice; give it once")]
    [InlineData("{\"forget\": {\"ids\": [\"\\ud800\"]}}", "the request holds a text with an unpaired surrogate; write valid Unicode")]
    [InlineData("{\"\\udc00\": 1}", "the request holds a text with an unpaired surrogate; write valid Unicode")]
    public void What_is_no_request_is_refused_by_its_place(string json, string expected)
    {
        var refusal = Assert.Throws<InputException>(() => RequestReader.Read(json, "request.json"));
        Assert.Contains(expected, refusal.Errors);
        Assert.DoesNotContain("train-3", refusal.ToString());
    }

    [Theory]
    [InlineData("")]
    [InlineData("null")]
    public void Without_a_method_the_default_is_meant(string method)
    {
        var request = RequestReader.Read(TinyRegistry.Request(r =>
        {
            r.Remove("method");
            if (method is "null")
                r["method"] = null;
        }), "request.json");

        Assert.Equal("match", request.Method.Method.Name);
        Assert.Equal(request.Method.Method.ReadOptions(new OptionReader(default, "", [])), request.Method.Options);
    }

    [Fact]
    public void Defaults_are_filled_in()
    {
        var request = RequestReader.Read(TinyRegistry.Request(r =>
        {
            r.Remove("publish");
            r.Remove("audit");
            r["method"] = "finetune";
            r["seed"] = ulong.MaxValue;
        }), "request.json");
        Assert.Equal(
            (ulong.MaxValue, ParentPolicy.Quarantine, null, new LogitChoice(null, null)),
            (request.Seed, request.ParentPolicy, request.Alias, request.Logits));
        var optimizer = new OptimizerOptions(OptimizerKind.Adamw, 0.001f, 0.9f, 0, Schedule.Linear);
        Assert.Equal(new FineTuneOptions(60, 64, optimizer, new(StopKind.Holdout, 0.02f, 10)), request.Method.Options);
        Assert.Equal(new ArrayNames("x", "y", null, null, null), request.Data.Arrays);
        Assert.Equal((1f, 0f, 1f), (request.Data.Scale, Assert.Single(request.Data.Mean), Assert.Single(request.Data.Std)));
        Assert.Equal((0.5, 2UL), (request.Retain.Fraction, request.Retain.Seed));
        Assert.Null(request.Audit.Gates);
        Assert.Empty(RequestReader.Read(TinyRegistry.Request(), "request.json").Audit.Gates!);
    }

    /// <summary>RFC 7396: null removes, objects merge, everything else replaces.</summary>
    static void Merge(JsonObject target, JsonObject patch)
    {
        foreach (var (name, value) in patch)
        {
            if (value is null)
                target.Remove(name);
            else if (value is JsonObject inner && target[name] is JsonObject into)
                Merge(into, inner);
            else
                target[name] = value.DeepClone();
        }
    }
}
