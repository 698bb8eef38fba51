using RegistryUnlearn.Onnx.Models;
using RegistryUnlearn.Onnx.Proto;
using static RegistryUnlearn.Onnx.Proto.TensorProto.Types;

namespace RegistryUnlearn.Onnx.Tests.Models;

public sealed class ClassifierContractTests
{
    static ModelProto Classifier(string input = "x: N, 3, 8, 8", string output = "y: N, 10") =>
        Build.Model(Build.Node("Flatten x -> f"), Build.Node("Gemm f w -> y"), Build.Learned("w", 4, 10)).With(input, output);

    static ModelProto WithSoftmax(params string[] tail)
    {
        var model = Classifier(output: "p: N, 10");
        foreach (var node in tail) model.Graph.Node.Add(Build.Node(node));
        return model;
    }

    [Fact]
    public void The_contract_is_read_from_the_graph()
    {
        var contract = ClassifierContract.Find(Classifier().Wrap());
        Assert.Equal(("x", DataType.Float, "y", DataType.Float, null),
            (contract.InputName, contract.InputType, contract.LogitsName, contract.LogitsType, contract.FixedBatch));
        Assert.Equal([null, 3, 8, 8], contract.InputShape);
        Assert.Equal([null, 10], contract.LogitsShape);
    }

    [Theory]
    [InlineData("x: N, 3", "y: N, 10", null)]
    [InlineData("x: N, 3", "y: M, 10", null)]
    [InlineData("x: 0, 3", "y: -1, 10", null)]
    [InlineData("x: 4, 3", "y: 4, 10", 4)]
    [InlineData("x: 4, 3", "y: N, 10", 4)]
    public void A_fixed_batch_is_reported(string input, string output, int? expected) =>
        Assert.Equal(expected, ClassifierContract.Find(Classifier(input, output).Wrap()).FixedBatch);

    [Fact]
    public void Tokens_and_initializers_among_the_inputs_are_accepted()
    {
        var model = Classifier();
        model.Graph.Input[0] = Build.Value("x: N, 16", DataType.Int64);
        model.Graph.Input.Add(Build.Value("w: 4, 10"));
        Assert.Equal(DataType.Int64, ClassifierContract.Find(model.Wrap()).InputType);
    }

    [Theory]
    [InlineData("Softmax y -> p")]
    [InlineData("Softmax y -> q|Identity q -> p")]
    [InlineData("Sigmoid y -> r|Cast r -> q|Dropout q -> p")]
    public void Probabilities_are_refused_until_the_logits_are_named(string tail)
    {
        var model = WithSoftmax(tail.Split('|'));
        var error = Assert.Throws<OnnxModelException>(() => ClassifierContract.Find(model.Wrap()));
        Assert.Contains("output 'p': gives probabilities", error.Message);
        Assert.Equal("Name 'y' as the logits", error.Remedy);
        if (tail.Contains("Cast")) model.Graph.ValueInfo.Add(Build.Value("y: N, 10"));
        Assert.Equal("y", ClassifierContract.Find(model.Wrap(), "y").LogitsName);
    }

    [Fact]
    public void Log_probabilities_serve_as_logits() =>
        Assert.Equal("p", ClassifierContract.Find(WithSoftmax("LogSoftmax y -> p").Wrap()).LogitsName);

    [Fact]
    public void The_first_output_that_can_hold_logits_is_taken_unless_the_caller_names_another()
    {
        var model = Classifier();
        model.Graph.Output.Insert(0, Build.Value("score: N"));
        model.Graph.Output.Insert(0, Build.Value("label: N, 1", DataType.Int64));
        Assert.Equal("y", ClassifierContract.Find(model.Wrap()).LogitsName);
        Assert.Contains("output 'label': is INT64 [?, 1], not float logits of a batch. "
            + "Name the logits; the outputs are 'label', 'score', 'y'",
            Assert.Throws<OnnxModelException>(() => ClassifierContract.Find(model.Wrap(), "label")).Message);
    }

    [Theory]
    [InlineData("y: N, 7, 10")]
    [InlineData("y: N, T, 10")]
    [InlineData("y: N, 10, H, W")]
    [InlineData("y: N, C")]
    public void Logits_may_have_a_row_for_every_position(string output) =>
        Assert.Equal(output.Count(c => c is ',') + 1, ClassifierContract.Find(Classifier(output: output).Wrap()).LogitsShape.Count);

    public static TheoryData<string, Action<GraphProto>, string?, string> Refused => new()
    {
        { "no input", g => g.Input.Clear(), null, "graph: has 0 inputs (none), a classifier has one" },
        { "two inputs", g => g.Input.Add(Build.Value("mask: N, 3")), null, "has 2 inputs ('x', 'mask')" },
        { "text input", g => g.Input[0] = Build.Value("x: N, 3", DataType.String), null, "input 'x': is STRING" },
        { "flat input", g => g.Input[0] = Build.Value("x: N"), null, "input 'x': has shape [?]" },
        { "no input type", g => g.Input[0].Type = null, null, "input 'x': is not a tensor of recorded type and shape" },
        { "no output", g => g.Output.Clear(), null, "graph: has no output" },
        { "rank 1", g => g.Output[0] = Build.Value("y: N"), null, "is FLOAT [?], not float logits of a batch" },
        { "one class", g => g.Output[0] = Build.Value("y: N, 1"), null, "has 1 classes" },
        { "no output shape", g => g.Output[0].Type.TensorType.Shape = null, null, "output 'y': has no recorded type and shape" },
        { "rows", g => { g.Input[0] = Build.Value("x: 4, 3"); g.Output[0] = Build.Value("y: 8, 10"); }, null, "has 8 rows for 4 samples" },
        { "unknown name", _ => { }, "scores", "output 'scores': is not a value of the model, whose outputs are 'y'" },
        { "unrecorded inner value", _ => { }, "f", "output 'f': has no recorded type and shape. Run ONNX shape inference" },
        { "circle", g => g.Node.Add([Build.Node("Identity b -> a"), Build.Node("Identity a -> b")]), "a",
            "output 'a': has no recorded type" },
    };

    [Theory]
    [MemberData(nameof(Refused))]
    public void Other_models_are_refused(string name, Action<GraphProto> change, string? logits, string expected)
    {
        var model = Classifier();
        change(model.Graph);
        var error = Assert.Throws<OnnxModelException>(() => ClassifierContract.Find(model.Wrap(), logits));
        Assert.True(error.Message.Contains(expected), $"{name}: {error.Message}");
    }
}
