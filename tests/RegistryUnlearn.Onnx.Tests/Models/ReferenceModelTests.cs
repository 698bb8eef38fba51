using System.IO.Compression;
using RegistryUnlearn.Onnx.Models;

namespace RegistryUnlearn.Onnx.Tests.Models;

/// <summary>Exported models with a gradient for every trainable tensor, where these lie beside the repository.</summary>
public sealed class ReferenceModelTests
{
    const string Block =
        "n1.weight n1.bias a.qkv.weight a.qkv.bias a.p.weight a.p.bias n2.weight n2.bias f1.weight f1.bias f2.weight f2.bias";

    static IEnumerable<string> Below(string prefix, string names) => names.Split(' ').Select(n => $"{prefix}.{n}");

    static string[] Resnet() =>
    [
        "c.weight", "b.weight", "b.bias",
        .. Below("l.0", "c1.weight b1.weight b1.bias c2.weight b2.weight b2.bias"),
        .. Enumerable.Range(1, 3).SelectMany(i =>
            Below($"l.{i}", "c1.weight b1.weight b1.bias c2.weight b2.weight b2.bias sc.0.weight sc.1.weight sc.1.bias")),
        "fc.weight", "fc.bias",
    ];

    public static TheoryData<string, string[], int> Models => new()
    {
        { "mlp", ["fc1.weight", "fc1.bias", "fc2.weight", "fc2.bias", "fc3.weight", "fc3.bias"], 5 },
        { "cnn", [.. "c1.weight c1.bias b1.weight b1.bias c2.weight c2.bias b2.weight b2.bias fc.weight fc.bias".Split(' ')], 10 },
        { "cnn_fused", ["c1.weight", "c1.bias", "c2.weight", "c2.bias", "fc.weight", "fc.bias"], 10 },
        { "resnet", Resnet(), 10 },
        { "textcnn", ["e.weight", "c.0.weight", "c.0.bias", "c.1.weight", "c.1.bias", "fc.weight", "fc.bias"], 4 },
        { "vit", ["cls", "pos", "pe.weight", "pe.bias", .. Below("bl.0", Block), .. Below("bl.1", Block), "n.weight", "n.bias",
            "hd.weight", "hd.bias"], 10 },
    };

    [Theory]
    [MemberData(nameof(Models))]
    public void Exactly_the_trained_tensors_are_detected(string name, string[] expected, int classes)
    {
        var model = Load(name);
        var detected = ParameterDetection.Detect(model).Trainable.Select(p => p.Name).ToHashSet();
        Assert.Equal(expected.Order(), detected.Order());

        using var reference = ZipFile.OpenRead(Path.Combine(Repository.Shared("fixtures/gradients/" + name), "reference.npz"));
        var trained = reference.Entries.Where(e => e.FullName.StartsWith("grad/")).Select(e => e.FullName["grad/".Length..^".npy".Length]);
        Assert.Equal(trained.Order(), detected.Order());

        var contract = ClassifierContract.Find(model);
        Assert.Equal(("input", "logits", classes, null),
            (contract.InputName, contract.LogitsName, contract.LogitsShape[1], contract.FixedBatch));
    }

    [Theory]
    [MemberData(nameof(Models))]
    public void Saving_negated_parameters_twice_gives_the_model_back(string name, string[] expected, int classes)
    {
        _ = classes;
        using var folder = new TempFolder();
        var model = Load(name);
        Negated(model, expected, folder["once"]);
        var once = ModelFile.Load(folder["once/model.onnx"]);
        Assert.Equal(model[expected[0]].ReadFloats().Select(v => -v), once[expected[0]].ReadFloats());
        Negated(once, expected, folder["twice"]);
        Assert.Equal(model.Model, ModelFile.Load(folder["twice/model.onnx"]).Model);
        Assert.NotEqual(model.Model, once.Model);
    }

    static void Negated(ModelFile model, string[] names, string outFolder) => model.SaveWithParameters(outFolder,
        names.ToDictionary(n => n, n => (ReadOnlyMemory<float>)model[n].ReadFloats().Select(v => -v).ToArray()),
        new Dictionary<string, string>());

    static ModelFile Load(string name)
    {
        return ModelFile.Load(Path.Combine(Repository.Shared("fixtures/gradients/" + name), "model.onnx"));
    }
}
