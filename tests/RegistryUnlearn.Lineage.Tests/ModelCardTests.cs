using System.Text.Json;

namespace RegistryUnlearn.Lineage.Tests;

public sealed class ModelCardTests
{
    const string Abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    static ModelCard Card { get; } = new()
    {
        Model = ("digits", 2),
        Parent = ("digits", 1),
        Files = [ResourceDescriptor.File("model.onnx", Abc), ResourceDescriptor.File("weights/w.bin", Abc)],
        ParentFiles = [ResourceDescriptor.File("model.onnx", Abc)],
        DataSets = [ResourceDescriptor.File("datasets/train.npz", Abc), ResourceDescriptor.File("datasets/test.npz", Abc)],
        Formats = ("FLOAT[batch, 64]", "FLOAT[batch, 10]"),
        Method = "ltu",
        Forgotten = 40,
        Metrics = new Dictionary<string, double> { ["test.accuracy"] = 0.9375, ["forget.loss"] = 1e-20 },
        JobId = Abc,
        Created = new DateTimeOffset(2026, 3, 5, 12, 30, 0, TimeSpan.Zero),
        ToolVersion = "0.1.0",
    };

    [Fact]
    public void The_schema_of_CycloneDX_accepts_it()
    {
        const string folder = "data/cyclonedx/";
        JsonSchemas.Check(
            Card.ToJson(), folder + "bom-1.6.schema.json", folder + "spdx.schema.json", folder + "jsf-0.82.schema.json");
    }

    [Fact]
    public void It_says_what_the_model_is_and_came_from()
    {
        Assert.Equal(Card.ToJson(), Card.ToJson());
        var bom = JsonDocument.Parse(Card.ToJson()).RootElement;
        // Computed with Python's hashlib and uuid.
        Assert.Equal("urn:uuid:1d9e66ce-53e4-80f4-ad19-192c7ecd13ec", bom.GetProperty("serialNumber").GetString());
        var model = bom.GetProperty("metadata").GetProperty("component");
        Assert.Equal(("digits", "2"), (model.GetProperty("name").GetString(), model.GetProperty("version").GetString()));
        Assert.Equal("1", model.GetProperty("pedigree").GetProperty("ancestors")[0].GetProperty("version").GetString());
        var metrics = model.GetProperty("modelCard").GetProperty("quantitativeAnalysis").GetProperty("performanceMetrics");
        Assert.Equal(["forget.loss=1E-20", "test.accuracy=0.9375"],
            metrics.EnumerateArray().Select(m => $"{m.GetProperty("type").GetString()}={m.GetProperty("value").GetString()}"));
        var references = model.GetProperty("modelCard").GetProperty("modelParameters").GetProperty("datasets").EnumerateArray()
            .Select(d => d.GetProperty("ref").GetString());
        Assert.Equal(bom.GetProperty("components").EnumerateArray().Select(c => c.GetProperty("bom-ref").GetString()), references);
    }
}
