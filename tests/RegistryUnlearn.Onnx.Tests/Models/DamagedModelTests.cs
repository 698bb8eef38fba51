using Google.Protobuf;
using RegistryUnlearn.Onnx.Graphs;
using RegistryUnlearn.Onnx.Models;
using RegistryUnlearn.Onnx.Proto;

namespace RegistryUnlearn.Onnx.Tests.Models;

/// <summary>Damaged model files are refused, or read as what they have become.</summary>
public sealed class DamagedModelTests
{
    const int Cases = 3000;

    [Fact]
    public void Damaged_models_are_refused_or_read()
    {
        using var folder = new TempFolder();
        var path = folder.Write("model.onnx", []);
        folder.Write("data.bin", new byte[64]);
        Mutation.Run(Files(), Cases, bytes =>
        {
            File.WriteAllBytes(path, bytes);
            Use(path);
        }, e => e is OnnxModelException, length => (64 << 20) + 200 * length);
    }

    /// <summary>All that is done with a model before a session is made of it.</summary>
    static void Use(string path)
    {
        var file = ModelFile.Load(path);
        foreach (var tensor in file.Tensors.Where(t => t.IsFloat))
            tensor.ReadFloats();
        var contract = ClassifierContract.Find(file);
        var parameters = ParameterDetection.Detect(file, output: contract.LogitsName).Trainable;
        var sample = contract.InputShape.Skip(1).Select(d => d ?? 2).ToArray();
        var forward = new ForwardModel(file.Working, contract.InputName, contract.LogitsName, sample,
            [.. parameters.Select(p => new ModelParameter(p.Name, p.Shape))], t => t);
        var g = forward.NewGraph();
        forward.Append(g, "model/", forward.AddInput(g, "batch of samples", "batch"), forward.AddParameterInputs(g));
        Assert.NotEmpty(g.Build().ToByteArray());
    }

    static List<byte[]> Files()
    {
        var fixtures = Path.Combine(Repository.Root, "../shared/fixtures/gradients");
        return
        [
            .. Small().Select(m => m.ToByteArray()),
            .. Directory.Exists(fixtures)
                ? Directory.EnumerateFiles(fixtures, "*.onnx", SearchOption.AllDirectories).Order().Select(File.ReadAllBytes)
                    .Where(f => f.Length < 100_000)
                : [],
        ];
    }

    /// <summary>
    /// A network with pooling, one with each form of storage, one with functions and bodies, and one of an old operator set.
    /// </summary>
    static IEnumerable<ModelProto> Small()
    {
        AttributeProto[] window =
        [
            Attributes.Of("kernel_shape", [3L, 2]), Attributes.Of("strides", [2L, 2]), Attributes.Of("pads", [1L, 1, 1, 1]),
            Attributes.Of("ceil_mode", 1L), Attributes.Of("count_include_pad", 1L),
        ];
        yield return Build.Model(
            Build.Node("Conv x w b -> h"), Build.Node("AveragePool h -> p", window), Build.Node("ReduceMean p -> y",
                Attributes.Of("axes", [2L, 3]), Attributes.Of("keepdims", 0L)),
            Build.Learned("w", 3, 2, 3, 3), Build.Learned("b", 3)).With("x: N, 2, 8, 8", "y: N, 3");
        yield return Build.Model(
            Build.Node("Gemm x w b -> h"), Build.Node("Constant -> c", Build.Tensor("value", Build.Raw("", [3], 1, 2, 3))),
            Build.Node("Add h c -> s"), Build.Node("MatMul s e -> t"), Build.Node("Mul t half -> y"),
            Build.Learned("w", 2, 3), Build.External("e", [3, 3], "data.bin", 16, 36),
            new TensorProto { Name = "b", DataType = 1, Dims = { 3 }, FloatData = { 1, 2, 3 } },
            new TensorProto { Name = "half", DataType = 10, Dims = { 3 }, Int32Data = { 0x3C00, 0x3C00, 0x4000 } })
            .With("x: N, 2", "y: N, 3");

        var nested = Build.Model(
            new NodeProto { OpType = "Block", Domain = "local", Input = { "x", "w" }, Output = { "y" } }, Build.Learned("w", 2, 2))
            .With("x: N, 2", "y: N, 2").Importing("local");
        var then = new GraphProto { Name = "then", Node = { Build.Node("Relu m -> t") }, Output = { Build.Value("t: N, 2") } };
        nested.Functions.Add(new FunctionProto
        {
            Domain = "local",
            Name = "Block",
            Input = { "a", "b" },
            Output = { "r" },
            OpsetImport = { new OperatorSetIdProto { Version = 17 } },
            Node =
            {
                Build.Node("MatMul a b -> m"),
                Build.Node("Constant -> p", Build.Tensor("value", new() { DataType = 9, Int32Data = { 1 } })),
                Build.Node("If p -> r", Body("then_branch", then), Body("else_branch", then.Clone())),
            },
        });
        yield return nested;

        var old = Build.Model(
            Build.Node("Unsqueeze x -> u", Attributes.Of("axes", [1L])),
            Build.Node("Pad u -> p", Attributes.Of("pads", [0L, 0, 1, 0, 0, 1])),
            Build.Node("Conv p k -> c"), Build.Node("Clip c -> l", Attributes.Of("min", 0f)), Build.Node("Flatten l -> f"),
            Build.Node("Softmax f -> q"), Build.Node("Gemm q w -> y"), Build.Learned("k", 2, 1, 2), Build.Learned("w", 8, 3))
            .With("x: N, 3", "y: N, 3");
        old.OpsetImport[0].Version = 9;
        yield return old;
    }

    static AttributeProto Body(string name, GraphProto body) =>
        new() { Name = name, Type = AttributeProto.Types.AttributeType.Graph, G = body };
}
