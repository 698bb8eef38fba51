using RegistryUnlearn.Cli.Tests.Support;
using RegistryUnlearn.Onnx.Proto;
using static RegistryUnlearn.Cli.Tests.Support.Make;

namespace RegistryUnlearn.Cli.Tests;

/// <summary>What cannot be used is refused with exit code 2 and a message that says what to do; nothing is written.</summary>
public sealed class BadInputTests
{
    static readonly ModelProto Softmax = Model(Value("x", "N", "2"), Value("p", "N", "3"),
        Node("Gemm", ["x", "w"], "scores", ("transB", 1)), Node("Softmax", ["scores"], "p"));

    static readonly ModelProto Nothing = Model(Value("x", "N", "2"), Value("y", "N", "2"), Node("Relu", ["x"], "y"));

    [Theory]
    [InlineData("missing.onnx", "good.npz", "missing.onnx: file: does not exist. Check the path")]
    [InlineData("text.onnx", "good.npz", "text.onnx: ir_version: is missing. This is not an ONNX model")]
    [InlineData("truncated.onnx", "good.npz", "truncated.onnx: file: is not an ONNX model or is damaged")]
    [InlineData("empty.onnx", "good.npz", "empty.onnx: file: is empty. Fetch or export the model again")]
    [InlineData("nan.onnx", "good.npz",
        "nan.onnx: initializer 'w': element 4 is NaN. Use a checkpoint with finite values, or lower the step size")]
    [InlineData("nothing.onnx", "good.npz",
        "nothing.onnx: trainable parameters: none found; looked at 1 nodes (1 Relu) and 0 float tensors of 0 (none). "
        + "Name the parameters in the request, or export the model in float with its functions inlined")]
    [InlineData("softmax.onnx", "good.npz",
        "softmax.onnx: output 'p': gives probabilities (it ends in Softmax), not logits. Name 'scores' as the logits")]
    [InlineData("fixed.onnx", "good.npz",
        "good.npz: array 'input' has 2 samples, but the model takes batches of exactly 4; "
        + "give 4 samples or export the model with a dynamic batch dimension")]
    [InlineData("model.onnx", "missing.npz", "missing.npz: the file does not exist; check the path.")]
    [InlineData("model.onnx", "text.onnx", "text.onnx: it is not a complete .npz file; write it again with numpy.savez.")]
    [InlineData("model.onnx", "labels.npz", "labels.npz: array 'labels' label 1 is 3; the model's classes are 0 to 2")]
    [InlineData("model.onnx", "dtype.npz", "dtype.npz: array 'input' holds Float64; save it as float32")]
    [InlineData("model.onnx", "shape.npz", "shape.npz: array 'input' has shape (2, 3); give (N, 2)")]
    [InlineData("model.onnx", "bare.npz", "bare.npz: array 'labels': it is not in the file; the file holds: input")]
    [InlineData("model.onnx", "direction.npz", "direction.npz: array 'v/q' names no parameter of the model; name one of 'w', 'b'")]
    [InlineData("model.onnx", "none.npz", "none.npz: array 'input' holds no sample; give at least one")]
    public async Task Inspect_gradients(string model, string batch, string message)
    {
        using var work = Filled();
        var before = work.Files;
        var outcome = await work.RunAsync($"inspect gradients {{{model}}} --batch {{{batch}}} --out {{out.npz}}");
        Assert.StartsWith(message, outcome.Error, StringComparison.Ordinal);
        Assert.Single(outcome.Error.TrimEnd('\n').Split('\n'));
        Assert.Equal((ExitCodes.BadInput, ""), (outcome.Code, outcome.Output));
        Assert.Equal(before, work.Files);
    }

    [Theory]
    [InlineData("inspect gradients {model.onnx} --batch {good.npz} --out {good.npz}",
        "good.npz: is the input good.npz; choose another name, inputs are never changed")]
    [InlineData("inspect gradients {model.onnx} --batch {good.npz} --out {}", ": is a folder; name a file to write")]
    [InlineData("inspect gradients {model.onnx} --batch {good.npz} --out {o.npz} --include q",
        "model.onnx: parameter pattern 'q': selects no trainable parameter. Choose among w, b")]
    [InlineData("inspect gradients {model.onnx} --batch {good.npz} --out {o.npz} --logits q",
        "model.onnx: output 'q': is not a value of the model, whose outputs are 'logits'. Name one of the model's values")]
    [InlineData("inspect gradients {model.onnx} --batch {good.npz} --out {text.onnx}/o.npz",
        "text.onnx/o.npz: cannot be written: The file 'text.onnx' already exists.")]
    [InlineData("artifacts build {model.onnx} --out {text.onnx}", "text.onnx: is a file; name a folder")]
    [InlineData("artifacts build {model.onnx} --out {.}",
        ".: is not empty and holds other files than training artifacts; name a new folder")]
    [InlineData("artifacts build {nan.onnx} --out {a}",
        "nan.onnx: initializer 'w': element 4 is NaN. Use a checkpoint with finite values, or lower the step size")]
    [InlineData("train {model.onnx} --data {train.npz} --out {model.onnx}",
        "model.onnx: is the input model.onnx; choose another name, inputs are never changed")]
    [InlineData("train {model.onnx} --data {good.npz} --out {o.onnx}",
        "good.npz: array 'x': it is not in the file; the file holds: input, labels.")]
    [InlineData("train {model.onnx} --data {wide.npz} --out {o.onnx}",
        "wide.npz: its samples have shape [3], the model takes [2]; "
        + "use the data that the model was trained on, in the shape that it takes.")]
    [InlineData("train {model.onnx} --data {train.npz} --out {o.onnx} --scale 0",
        "normalization: scale is zero or not finite; give the largest stored value, for example 255.")]
    [InlineData("train {model.onnx} --data {train.npz} --out {o.onnx} --mean 1,2 --std 1",
        "normalization: there are 2 means and 1 standard deviations; give one of each, or one of each per channel.")]
    [InlineData("train {model.onnx} --data {train.npz} --out {o.onnx} --method-options {options.json}",
        "options.json: 2 errors\n  options.epochs is 0; give a number from 1 to 100000\n"
        + "  options.speed is unknown; known are batch, epochs, learningRate, momentum, optimizer, schedule, weightDecay")]
    [InlineData("train {model.onnx} --data {train.npz} --out {o.onnx} --method-options {missing.json}",
        "missing.json: does not exist; check the path")]
    public async Task Other_commands(string commandLine, string message)
    {
        using var work = Filled();
        var before = work.Files;
        Assert.Equal(new Outcome(ExitCodes.BadInput, "", message + "\n"), await work.RunAsync(commandLine));
        Assert.Equal(before, work.Files);
    }

    [Theory]
    [InlineData("", "Required command was not provided.\nRun 'registry-unlearn --help' to see what this command takes.")]
    [InlineData("inspect", "Required command was not provided.\nRun 'registry-unlearn inspect --help' to see what this command takes.")]
    [InlineData("artifacts build m.onnx --out a --ouch", "Unrecognized command or argument '--ouch'.\n"
        + "Run 'registry-unlearn artifacts build --help' to see what this command takes.")]
    [InlineData("artifacts build m.onnx",
        "Option '--out' is required.\nRun 'registry-unlearn artifacts build --help' to see what this command takes.")]
    [InlineData("train m.onnx --data d.npz --out o.onnx --mean a",
        "'a' in --mean is not a number; give numbers separated by commas, such as 0.49,0.48,0.45.\n"
        + "Run 'registry-unlearn train --help' to see what this command takes.")]
    public async Task Arguments(string commandLine, string message)
    {
        using var work = new Workspace();
        Assert.Equal(new Outcome(ExitCodes.BadInput, "", message + "\n"), await work.RunAsync(commandLine));
    }

    [Theory]
    [InlineData("artifacts build m.onnx --output json", "Option '--out' is required.")]
    [InlineData("artifacts build {missing.onnx} --out {a} --output json", "missing.onnx: file: does not exist. Check the path")]
    public async Task Errors_are_one_document_where_documents_are_asked_for(string commandLine, string message)
    {
        using var work = new Workspace();
        var outcome = await work.RunAsync(commandLine);
        Assert.StartsWith(message + "\n", outcome.Error, StringComparison.Ordinal);
        var error = outcome.Json().GetProperty("error");
        Assert.Equal((2, 2, message), (outcome.Code, error.GetProperty("exitCode").GetInt32(), error.GetProperty("message").GetString()));
    }

    static Workspace Filled()
    {
        var softmax = Softmax.Clone();
        softmax.Graph.Initializer.Add(Tensor("w", [3, 2], new float[6]));
        var work = new Workspace()
            .Write("model.onnx", Linear()).Write("fixed.onnx", FixedBatchTests.Fixed).Write("nan.onnx", Linear([0, 0, 0, 0, float.NaN, 0]))
            .Write("nothing.onnx", Nothing).Write("softmax.onnx", softmax)
            .Write("text.onnx", "This is a text.\n").Write("empty.onnx", "")
            .Write("options.json", """{"epochs":0,"speed":1}""")
            .Write("good.npz", Floats("input", [2, 2], 1, 2, 3, 4), Longs("labels", [2], 0, 2))
            .Write("labels.npz", Floats("input", [2, 2], 1, 2, 3, 4), Longs("labels", [2], 0, 3))
            .Write("dtype.npz", Unlearning.Data.NpyArray.Of<double>("input", [2, 2], [1, 2, 3, 4]), Longs("labels", [2], 0, 2))
            .Write("shape.npz", Floats("input", [2, 3], 1, 2, 3, 4, 5, 6), Longs("labels", [2], 0, 2))
            .Write("none.npz", Floats("input", [0, 2]), Longs("labels", [0]))
            .Write("bare.npz", Floats("input", [2, 2], 1, 2, 3, 4))
            .Write("direction.npz", Floats("input", [2, 2], 1, 2, 3, 4), Longs("labels", [2], 0, 2), Floats("v/q", [1], 1))
            .Write("train.npz", Floats("x", [2, 2], 1, 2, 3, 4), Longs("y", [2], 0, 2))
            .Write("wide.npz", Floats("x", [2, 3], 1, 2, 3, 4, 5, 6), Longs("y", [2], 0, 2));
        File.WriteAllBytes(work["truncated.onnx"], File.ReadAllBytes(work["model.onnx"])[..^30]);
        return work;
    }
}
