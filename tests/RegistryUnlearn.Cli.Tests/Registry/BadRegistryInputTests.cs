using System.Runtime.InteropServices;
using System.Text.Json.Nodes;
using Google.Protobuf;
using RegistryUnlearn.Faults;
using RegistryUnlearn.Onnx.Graphs;
using RegistryUnlearn.Onnx.Proto;
using RegistryUnlearn.Unlearning.Data;

namespace RegistryUnlearn.Cli.Tests.Registry;

/// <summary>
/// What cannot be used is refused with exit code 2 and a message that names what, where and the remedy; nothing is published.
/// </summary>
public sealed class BadRegistryInputTests
{
    const string Methods =
        "bad-teacher, cf-k, ct, eu-k, finetune, l1-sparse, ltu, lur, match, msg, neggrad+, retrain, salun, scrub, srl, train";

    const string Model = "tiny/1/model.onnx";
    const string Train = "datasets/train.npz";

    /// <param name="Spoil">Done to the registry before the request.</param>
    /// <param name="Change">Done to the request.</param>
    /// <param name="Expected">Decisive parts of the message, in order.</param>
    sealed record Row(Action<TinyFolder>? Spoil, Action<JsonObject>? Change, params string[] Expected);

    static readonly Dictionary<string, Row> Rows = new()
    {
        ["no such version"] = new(null, r => r["model"] = "tiny@9", "tiny@9: there is no version 9. Versions of tiny: 1."),
        ["no such model"] = new(null, r => r["model"] = "other@1", "other@1: there is no model 'other'. Models here: tiny."),
        ["no such alias"] = new(null, r => r["model"] = "tiny:production",
            "tiny:production: there is no alias 'production'. Aliases of tiny: none; versions: 1."),

        ["empty file"] = new(f => f.Write(Model, []), null, "tiny/1/model.onnx: file: is empty. Fetch or export the model again"),
        ["noise"] = new(f => f.Write(Model, [.. Enumerable.Range(0, 999).Select(i => (byte)(i * 7))]), null,
            "tiny/1/model.onnx: file: is not an ONNX model or is damaged (", "). Fetch or export the model again"),
        ["truncated file"] = new(f => f.Write(Model, f.Read(Model)[..^100]), null,
            "tiny/1/model.onnx: file: is not an ONNX model or is damaged (", "). Fetch or export the model again"),
        ["another format"] = new(f => f.Write(Model, f.Read(Train)), null,
            "tiny/1/model.onnx: file: is a zip archive. Unpack it and name the .onnx file inside"),
        ["external data outside"] = new(f => f.Write(Model, External("../secret.bin")), null,
            "tiny/1/model.onnx: initializer 'fc1.weight': external_data location '../secret.bin' contains '..'. ",
            "Keep data files in the model's folder"),
        ["external data missing"] = new(f => f.Write(Model, External("weights.bin")), null,
            "tiny/1/model.onnx: initializer 'fc1.weight': external_data file 'weights.bin' is missing. Put it into tiny/1"),
        ["external data short"] = new(
            f =>
            {
                f.Write(Model, External("weights.bin"));
                f.Write("tiny/1/weights.bin", new byte[100]);
            },
            null, "external_data asks for bytes 0 to 192 of 'weights.bin', which has 100. Fetch the data file again"),
        ["operator without a rule"] = new(f => f.Write(Model, With("Normalizer", "ai.onnx.ml")), null,
            "tiny/1/model.onnx: ", "Normalizer", "has no gradient rule"),
        ["operator of another house"] = new(f => f.Write(Model, With("Frobnicate", "com.example")), null,
            "tiny/1/model.onnx: ", "Frobnicate"),
        ["nothing to train"] = new(f => f.Write(Model, Untrained()), null, "tiny/1/model.onnx: "),
        ["all excluded"] = new(null, r => r["parameters"] = JsonNode.Parse("""{ "exclude": ["*"] }"""),
            "tiny/1/model.onnx: trainable parameters: the patterns exclude all of them"),
        ["no logits"] = new(f => f.Write(Model, Spoiled(m => m.Graph.Output[0] = Output("logits", "batch"))), null,
            "tiny/1/model.onnx: output 'logits': is FLOAT [?], not float logits of a batch. Name the logits; the outputs are 'logits'"),
        ["no such logits"] = new(null, r => r["logits"] = "scores",
            "tiny/1/model.onnx: output 'scores': is not a value of the model, whose outputs are 'logits'. Name one of the model's values"),
        ["NaN in weights"] = new(f => f.Write(Model, Weights("fc1.bias", float.NaN)), null, "tiny/1/model.onnx: initializer 'fc1.bias': "),
        ["integer input"] = new(f => f.Write(Model, Spoiled(m =>
            {
                m.Graph.Input[0].Type.TensorType.ElemType = (int)TensorProto.Types.DataType.Int64;
                m.Graph.Node.Insert(0, new NodeProto
                {
                    OpType = "Cast",
                    Input = { "input" },
                    Output = { "floats" },
                    Attribute = { new AttributeProto { Name = "to", I = 1, Type = AttributeProto.Types.AttributeType.Int } }
                });
                m.Graph.Node[1].Input[0] = "floats";
            })), null,
            "datasets/train.npz: its samples are numbers, the model takes tokens; save them as int64 or int32."),

        ["no such data"] = new(null, r => r["data"]!["train"]!["path"] = "datasets/other.npz",
            "datasets/other.npz: the registry has no such file. Correct the path in the request, or put the file there."),
        ["other data"] = new(null, r => r["data"]!["test"]!["sha256"] = new string('0', 64),
            "datasets/test.npz: the file has the digest sha256:", $"the request asks for sha256:{new string('0', 64)}. Restore the file"),
        ["damaged data"] = new(f => f.Write(Train, f.Read(Train)[..^50]), null,
            "datasets/train.npz: it is not a complete .npz file; write it again with numpy.savez."),
        ["missing array"] = new(null, r => r["data"]!["arrays"] = JsonNode.Parse("""{ "labels": "targets" }"""),
            "datasets/train.npz: array 'targets': it is not in the file; the file holds: "),
        ["wrong type"] = new(f => f.Write(Train, TinyRegistry.Npz(NpyArray.Of<double>("x", [4, 6], new double[24]), Labels(4))), null,
            "datasets/train.npz: array 'x': it holds Float64; save the inputs as uint8 or float32, or tokens as int64 or int32."),
        ["wrong shape"] = new(f => f.Write(Train, TinyRegistry.Npz(NpyArray.Of<float>("x", [4, 5], new float[20]), Labels(4))), null,
            "datasets/train.npz: its samples have shape [5], the model takes [6]; use the data that the model was trained on"),
        ["sets of two shapes"] = new(
            f => f.Write("datasets/test.npz", TinyRegistry.Npz(NpyArray.Of<float>("x", [4, 2, 3], new float[24]), Labels(4))), null,
            "datasets/test.npz: its samples have shape [2, 3], those of the training data [6]; use data of one shape."),
        ["no samples"] = new(f => f.Write(Train, TinyRegistry.Npz(NpyArray.Of<float>("x", [0, 6], []), Labels(0))), null,
            "datasets/train.npz: array 'x': its shape is (0, 6); save the inputs as N×…, at least one sample."),
        ["labels and inputs differ"] = new(
            f => f.Write(Train, TinyRegistry.Npz(NpyArray.Of<float>("x", [4, 6], new float[24]), Labels(5))), null,
            "datasets/train.npz: array 'y': its shape is (5); save one integer for each of the 4 inputs, shape (4,)."),
        ["labels out of range"] = new(
            f => f.Write(Train, TinyRegistry.Npz(NpyArray.Of<float>("x", [4, 6], new float[24]), Labels(4, 3))), null,
            "datasets/train.npz: 4 of 4 labels are not below the model's 3 classes; ",
            "correct the labels or choose the model they belong to."),
        ["NaN in data"] = new(f => f.Write(Train, TinyRegistry.Data("train", 40, x => x[13] = float.NaN)), null,
            "datasets/train.npz: array 'x': row 2 holds a value that is not finite; repair or remove this sample."),

        ["some ids unknown"] = new(null, r => r["forget"]!["ids"] = new JsonArray("train-1", "nobody", "no-one"),
            "datasets/train.npz: the forget list names 2 of 3 ids that no sample has, at places 1, 2 (counted from 0); ",
            "correct these entries"),
        ["all ids unknown"] = new(null, r => r["forget"]!["ids"] = new JsonArray("nobody"),
            "datasets/train.npz: the forget list names 1 of 1 ids that no sample has, at place 0 (counted from 0); correct these entries"),
        ["ids repeated"] = new(null, r => r["forget"]!["ids"] = new JsonArray("train-1", "train-2", "train-1"),
            "datasets/train.npz: the forget list repeats 1 of 3 entries, at place 2 (counted from 0); name every sample once."),
        ["forget and retain overlap"] = new(null, r => r["retain"] = JsonNode.Parse("""{ "ids": ["train-1", "train-5"] }"""),
            "datasets/train.npz: the forget set and the retained set have 1 samples in common, at place 1 (counted from 0); ",
            "name every sample in one of them only."),
        ["everything forgotten"] = new(null,
            r => r["forget"]!["ids"] = new JsonArray([.. Enumerable.Range(0, 40).Select(i => (JsonNode)$"train-{i}")]),
            "datasets/train.npz: the retained set is empty; name at least one sample."),

        ["gradients that are not finite"] = new(f => f.Write(Model, Weights("fc2.weight", 3e38f)), null,
            "step 0: ", "is not finite; the parameters before this step are kept. Lower the learning rate"),
        ["diverging"] = new(null,
            r => r["method"]!["options"] = JsonNode.Parse("""{ "steps": 500, "batch": 8, "optimizer": "sgd", "learningRate": 10 }"""),
            "step ", "is not finite; the parameters before this step are kept. Lower the learning rate"),

        ["oracles that are none"] = new(
            f => f.Write("oracles.json", "{}"u8.ToArray()), r => r["audit"] = JsonNode.Parse("""{ "oracles": "oracles.json" }"""),
            "oracles.json: field '$' is not as the oracle format asks", "make the file again with the oracle command"),
        ["no such oracles"] = new(null, r => r["audit"] = JsonNode.Parse("""{ "oracles": "oracles.json" }"""),
            "oracles.json: the registry has no such file. Correct the path in the request, or put the file there."),

        ["many errors"] = new(null,
            r =>
            {
                r.Remove("seed");
                r["sead"] = 4;
                r["model"] = "tiny";
                r["method"] = "magic";
            },
            "4 errors", "model is 'tiny'; give a reference such as name@7 or name:production",
            "method names the method 'magic'; known are " + Methods, "seed is missing", "sead is unknown; known are "),
    };

    public static TheoryData<string> Names => [.. Rows.Keys];

    [Theory, MemberData(nameof(Names))]
    public async Task Is_refused(string name)
    {
        var row = Rows[name];
        using var folder = await TinyFolder.CreateAsync();
        row.Spoil?.Invoke(folder);
        var before = folder.Served();
        var result = await folder.RunAsync(TinyRegistry.Request(row.Change), "--output", "json");
        Assert.Equal(ExitCodes.BadInput, result.Code);
        var rest = result.Error;
        foreach (var part in row.Expected)
        {
            Assert.Contains(part, rest);
            rest = rest[(rest.IndexOf(part, StringComparison.Ordinal) + part.Length)..];
        }
        Assert.Equal(2, result.Json.GetProperty("error").GetProperty("exitCode").GetInt32());
        Assert.DoesNotContain(Path.GetTempPath() + "registry-unlearn-" + Environment.UserName, result.Error);
        Assert.Equal(before, folder.Served());
    }

    [Fact]
    public async Task A_request_file_that_cannot_be_read_is_named()
    {
        using var folder = await TinyFolder.CreateAsync();
        var request = Path.Combine(folder.Path, "request.json");
        var rows = new (Action Make, string Expected)[]
        {
            (() => { }, $"{request}: does not exist; give the path of a request file\n"),
            (() => File.WriteAllBytes(request, [0x7B, 0xFF]), $"{request}: is not UTF-8 text; save the request as UTF-8\n"),
            (() => File.WriteAllText(request, "{\n\"seed\": tree }"),
                $"{request}: the request is not JSON (line 2, byte 11); correct it there\n"),
            (() => File.WriteAllText(request, """{ "forget": { "ids": ["\ud800"] } }"""),
                $"{request}: the request holds a text with an unpaired surrogate; write valid Unicode\n"),
        };
        foreach (var (make, expected) in rows)
        {
            make();
            var result = await CommandResult.OfAsync("run", request, "--registry", folder.Path);
            Assert.Equal((2, expected), (result.Code, result.Error));
        }
        var absent = Path.Combine(folder.Path, "none");
        var elsewhere = await CommandResult.OfAsync("run", request, "--registry", absent);
        var expectedError = $"{absent}: there is no such folder; give the registry's root with --registry\n";
        Assert.Equal((2, expectedError), (elsewhere.Code, elsewhere.Error));
    }

    static NpyArray Labels(int count, long value = 0) => NpyArray.Of<long>("y", [count], Enumerable.Repeat(value, count).ToArray());

    static ModelProto Spoiled(Action<ModelProto> change)
    {
        var model = TinyRegistry.Model();
        change(model);
        return model;
    }

    static ModelProto Weights(string name, float value) => Spoiled(m =>
    {
        var tensor = m.Graph.Initializer.Single(t => t.Name == name);
        var values = MemoryMarshal.Cast<byte, float>(tensor.RawData.Span).ToArray();
        Array.Fill(values, value);
        tensor.RawData = ByteString.CopyFrom(MemoryMarshal.AsBytes(values.AsSpan()));
    });

    static ModelProto External(string location) => Spoiled(m =>
    {
        var tensor = m.Graph.Initializer.Single(t => t.Name == "fc1.weight");
        tensor.ClearRawData();
        tensor.DataLocation = TensorProto.Types.DataLocation.External;
        tensor.ExternalData.Add(new StringStringEntryProto { Key = "location", Value = location });
    });

    /// <summary>The model with its Relu replaced.</summary>
    static ModelProto With(string op, string domain = "") => Spoiled(m =>
    {
        var node = m.Graph.Node.Single(n => n.OpType == "Relu");
        (node.OpType, node.Domain) = (op, domain);
        if (domain.Length > 0)
            m.OpsetImport.Add(new OperatorSetIdProto { Domain = domain, Version = 1 });
    });

    static ModelProto Untrained()
    {
        var g = new GraphBuilder(17);
        var x = g.Input("input", TensorType.Float("batch", TinyRegistry.Features));
        g.Output("logits", g.Add("Tanh", [x]), TensorType.Float("batch", TinyRegistry.Features));
        return g.Build();
    }

    static ValueInfoProto Output(string name, params string[] dims)
    {
        var tensor = new TypeProto.Types.Tensor { ElemType = 1, Shape = new TensorShapeProto() };
        foreach (var dim in dims)
            tensor.Shape.Dim.Add(new TensorShapeProto.Types.Dimension { DimParam = dim });
        return new ValueInfoProto { Name = name, Type = new TypeProto { TensorType = tensor } };
    }
}
