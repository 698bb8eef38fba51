using RegistryUnlearn.Cli.Tests.Support;
using RegistryUnlearn.Onnx.Proto;
using RegistryUnlearn.Unlearning.Data;
using static RegistryUnlearn.Cli.Tests.Support.Make;

namespace RegistryUnlearn.Cli.Tests;

/// <summary>
/// Models with a row of logits per position: a language model on tokens and a network that labels pixels. Expected numbers are computed
/// here in float64: losses by their definition, derivatives by central differences.
/// </summary>
public sealed class PositionTests
{
    const int Samples = 3, Length = 4, Vocabulary = 5, Width = 2;

    static readonly long[] Tokens = [0, 3, 1, 4, 2, 2, 0, 1, 4, 3, 3, 0];

    // The second sample is padded behind two tokens, the third has one label.
    static readonly long[] Next = [3, 1, 4, 0, 2, 0, -100, -100, -100, 3, -100, -100];

    static readonly float[] Embedding = Wave(Vocabulary * Width, 0.9), Head = Wave(Width * Vocabulary, 1.7);

    static float[] Wave(int count, double rate) => [.. Enumerable.Range(0, count).Select(i => (float)Math.Sin(rate * (i + 1)))];

    static ModelProto LanguageModel(string length = "T", bool classesLast = true, string batch = "N")
    {
        string[] shape = classesLast ? [batch, length, $"{Vocabulary}"] : [batch, $"{Vocabulary}", length];
        var model = Model(Value("tokens", batch, length), Value("logits", shape),
            Node("Gather", ["embedding", "tokens"], "e"), Node("MatMul", ["e", "head"], classesLast ? "logits" : "rows"));
        if (!classesLast)
        {
            model.Graph.Node.Add(Node("Transpose", ["rows"], "logits"));
            model.Graph.Node[^1].Attribute.Add(new AttributeProto
            {
                Name = "perm",
                Ints = { 0, 2, 1 },
                Type = AttributeProto.Types.AttributeType.Ints,
            });
        }
        model.Graph.Input[0].Type.TensorType.ElemType = (int)TensorProto.Types.DataType.Int64;
        model.Graph.Initializer.Add([Tensor("embedding", [Vocabulary, Width], Embedding), Tensor("head", [Width, Vocabulary], Head)]);
        return model;
    }

    /// <summary>Logits of a position from its token; parameters are the embedding, then the head.</summary>
    static double[] Row(double[] parameters, long token) => [.. Enumerable.Range(0, Vocabulary).Select(c =>
        Enumerable.Range(0, Width).Sum(k => parameters[token * Width + k] * parameters[Vocabulary * Width + k * Vocabulary + c]))];

    static double[] LogSoftmax(double[] z) => [.. z.Select(v => v - z.Max() - Math.Log(z.Sum(o => Math.Exp(o - z.Max()))))];

    /// <summary>As torch.nn.functional.cross_entropy with its default ignore_index.</summary>
    static double CrossEntropy(double[] parameters, long[] tokens, long[] labels)
    {
        var counted = labels.Select((label, i) => (label, i)).Where(l => l.label >= 0).ToList();
        return counted.Average(l => -LogSoftmax(Row(parameters, tokens[l.i]))[l.label]);
    }

    static double[] Gradient(Func<double[], double> f, double[] at, double h = 1e-4)
    {
        return [.. at.Select((_, i) => (8 * (At(i, h) - At(i, -h)) - (At(i, 2 * h) - At(i, -2 * h))) / (12 * h))];

        double At(int i, double by) => f([.. at.Select((v, k) => v + (k == i ? by : 0))]);
    }

    static double[] Parameters => [.. Embedding.Concat(Head).Select(v => (double)v)];

    [Theory]
    [InlineData("T", true, "", "N")]
    [InlineData("4", true, "", "N")]
    [InlineData("4", true, "--class-axis -1", "3")]
    [InlineData("T", false, "", "N")]
    [InlineData("T", false, "--class-axis 1", "3")]
    public async Task A_language_model_has_the_loss_and_gradients_of_its_labelled_positions(
        string length, bool classesLast, string option, string batch)
    {
        var direction = Wave(Embedding.Length + Head.Length, 2.3);
        using var work = new Workspace().Write("model.onnx", LanguageModel(length, classesLast, batch)).Write("batch.npz",
            Longs("input", [Samples, Length], Tokens), Longs("labels", [Samples, Length], Next),
            Floats("v/embedding", [Vocabulary, Width], direction[..Embedding.Length]),
            Floats("v/head", [Width, Vocabulary], direction[Embedding.Length..]));
        var outcome = await work.RunAsync($"inspect gradients {{model.onnx}} --batch {{batch.npz}} --out {{out.npz}} {option}");
        Assert.Equal((0, ""), (outcome.Code, outcome.Error));
        var arrays = work.Read("out.npz");
        Near([CrossEntropy(Parameters, Tokens, Next)], arrays["loss"]);
        Assert.Equal(classesLast ? [Samples, Length, Vocabulary] : (long[])[Samples, Vocabulary, Length], arrays["logits"].Shape);
        var logits = arrays["logits"].ToSingles();
        Assert.Equal(Row(Parameters, Tokens[1])[2], logits[classesLast ? Vocabulary + 2 : 2 * Length + 1], 1e-6);
        double[] At(double[] p) => Gradient(q => CrossEntropy(q, Tokens, Next), p);
        Near(At(Parameters), arrays["grad/embedding"], arrays["grad/head"]);
        const double h = 1e-3;
        double[] up = At([.. Parameters.Zip(direction, (p, v) => p + h * v)]);
        double[] down = At([.. Parameters.Zip(direction, (p, v) => p - h * v)]);
        Near([.. up.Zip(down, (a, b) => (a - b) / (2 * h))], arrays["hv/embedding"], arrays["hv/head"]);
    }

    [Theory]
    [InlineData("--fix T=4")]
    [InlineData("--fix 1=4")]
    public async Task Artifacts_of_a_model_with_free_length_take_it_from_an_option(string option)
    {
        using var work = new Workspace().Write("model.onnx", LanguageModel());
        var outcome = await work.RunAsync($"artifacts build {{model.onnx}} --out {{artifacts}} {option} --output json");
        Assert.Equal((0, ""), (outcome.Code, outcome.Error));
        var inputs = outcome.Json().GetProperty("inputs").EnumerateArray().Take(2)
            .Select(i => $"{i.GetProperty("name")} {string.Join(',', i.GetProperty("shape").EnumerateArray())}");
        Assert.Equal(["tokens batch,4", "labels batch,4"], inputs);
    }

    [Theory]
    [InlineData("", "leaves dimensions open: 'T'. Give sizes of a sample, as in --fix T=128")]
    [InlineData("--fix S=4", "has no open dimension 'S'. Open are 'T'")]
    [InlineData("--fix T=4 --fix N=2", "has no open dimension 'N'. Open are 'T'")]
    [InlineData("--fix T=0", "--fix T=0: give a dimension and its size, as in --fix sequence=128")]
    [InlineData("--fix T", "--fix T: give a dimension and its size, as in --fix sequence=128")]
    [InlineData("--fix T=4 --fix T=5", "--fix T=5: the dimension has a size already")]
    public async Task A_missing_or_wrong_size_is_asked_for_by_name(string option, string message)
    {
        using var work = new Workspace().Write("model.onnx", LanguageModel());
        var outcome = await work.RunAsync($"artifacts build {{model.onnx}} --out {{artifacts}} {option}");
        Assert.Equal(2, outcome.Code);
        Assert.Contains(message, outcome.Error);
        Assert.False(Directory.Exists(work["artifacts"]));
    }

    [Fact]
    public async Task Sizes_are_given_only_where_they_are_open()
    {
        using var work = new Workspace().Write("model.onnx", LanguageModel("4"));
        var outcome = await work.RunAsync("artifacts build {model.onnx} --out {artifacts} --fix T=4");
        Assert.Equal(2, outcome.Code);
        Assert.Contains("has no open dimension 'T'. All its sizes but the batch are fixed", outcome.Error);
    }

    [Fact]
    public async Task Pixels_have_their_classes_along_axis_1()
    {
        // logits = 1×1 convolution of two channels to three classes on images of 2×3 pixels.
        float[] weight = [0.5f, -1, 0.25f, 2, -0.75f, 0.1f], bias = [0.1f, -0.2f, 0.3f];
        var input = Wave(2 * 2 * 2 * 3, 1.3);
        long[] labels = [0, 2, 1, -100, 1, 1, 2, 0, -100, 0, 0, 1];
        var model = Model(Value("x", "N", "2", "H", "W"), Value("logits", "N", "3", "H", "W"), Node("Conv", ["x", "w", "b"], "logits"));
        model.Graph.Initializer.Add([Tensor("w", [3, 2, 1, 1], weight), Tensor("b", [3], bias)]);
        using var work = new Workspace().Write("model.onnx", model)
            .Write("batch.npz", Floats("input", [2, 2, 2, 3], input), Longs("labels", [2, 2, 3], labels));
        var outcome = await work.RunAsync("inspect gradients {model.onnx} --batch {batch.npz} --out {out.npz}");
        Assert.Equal((0, ""), (outcome.Code, outcome.Error));
        double Loss(double[] p) => labels.Select((label, i) => (label, i)).Where(l => l.label >= 0).Average(l =>
        {
            var (sample, pixel) = Math.DivRem(l.i, 6);
            return -LogSoftmax([.. Enumerable.Range(0, 3).Select(c =>
                p[6 + c] + Enumerable.Range(0, 2).Sum(k => p[2 * c + k] * input[sample * 12 + k * 6 + pixel]))])[l.label];
        });
        double[] at = [.. weight.Concat(bias).Select(v => (double)v)];
        var arrays = work.Read("out.npz");
        Near([Loss(at)], arrays["loss"]);
        Assert.Equal([2L, 3, 2, 3], arrays["logits"].Shape);
        Near(Gradient(Loss, at), arrays["grad/w"], arrays["grad/b"]);
    }

    [Fact]
    public async Task A_step_weighs_samples_by_themselves()
    {
        float[] weights = [0.3f, -0.2f, 0.5f, 0.1f];
        const float bias = 0.2f;
        NpyArray[] Batch(string name) =>
            [Longs($"batch/{name}/input", [Samples, Length], Tokens), Longs($"batch/{name}/labels", [Samples, Length], Next)];
        using var work = new Workspace().Write("model.onnx", LanguageModel()).Write("step.npz",
            [.. Batch("remember-support"), .. Batch("remember-query-0"), .. Batch("forget-support"), .. Batch("forget-query-0"),
                Floats("mi/weights", [1, 4], weights), Floats("mi/bias", [1], bias)])
            .Write("config.json", """{"alpha": 0, "lambda": 1, "eta": 0, "forget_weight": 1, "mi_support": 0, "mi_query": [0]}""");
        var outcome = await work.RunAsync(
            "inspect ltu-step {model.onnx} --config {config.json} --batch {step.npz} --order first --out {out.npz}");
        Assert.Equal((0, ""), (outcome.Code, outcome.Error));
        // Membership features of a sample are the mean over its labelled positions.
        double Forget(double[] p) => Enumerable.Range(0, Samples).Average(n =>
        {
            var rows = Enumerable.Range(n * Length, Length).Where(i => Next[i] >= 0).Select(i => Features(p, i)).ToList();
            var score = bias + Enumerable.Range(0, 4).Sum(k => weights[k] * rows.Average(r => r[k]));
            return Math.Log(1 + Math.Exp(score));
        });
        double[] Features(double[] p, int i)
        {
            var log = LogSoftmax(Row(p, Tokens[i]));
            var own = log[Next[i]];
            var others = log.Where((_, c) => c != Next[i]).Sum(Math.Exp);
            return [own, own - Math.Log(others + 1e-6), -log.Sum(l => l * Math.Exp(l)), log.Max()];
        }
        var remember = CrossEntropy(Parameters, Tokens, Next);
        var arrays = work.Read("out.npz");
        Near([remember, remember, Forget(Parameters), Forget(Parameters)], arrays["loss"]);
        // At alpha 0 the meta-gradient is that of both losses.
        Near([.. Gradient(Forget, Parameters).Select(g => 2 * g)], arrays["forget/embedding"], arrays["forget/head"]);
    }

    [Theory]
    [InlineData(true, "", 0, "")]
    [InlineData(false, "--class-axis 1", 0, "")]
    [InlineData(false, "--class-axis 3", 2, "output 'logits' of shape (N, 5, 4): has no class axis 3")]
    public async Task Artifacts_take_a_label_for_every_word(bool classesLast, string option, int code, string error)
    {
        using var work = new Workspace().Write("model.onnx", LanguageModel("4", classesLast));
        var outcome = await work.RunAsync($"artifacts build {{model.onnx}} --out {{artifacts}} --output json {option}");
        Assert.True(outcome.Code == code && outcome.Error.Contains(error), outcome.Error);
        if (code != 0)
            return;
        var inputs = outcome.Json().GetProperty("inputs").EnumerateArray().ToDictionary(
            i => i.GetProperty("name").GetString()!,
            i => string.Join(",", i.GetProperty("shape").EnumerateArray().Select(d => d.GetString())));
        Assert.Equal(("batch,4", "batch,4"), (inputs["tokens"], inputs["labels"]));
    }

    public static TheoryData<string, NpyArray[], string> Refused => new()
    {
        { "square", [Longs("input", [1, 5], 0, 1, 2, 3, 4), Longs("labels", [1, 5], 0, 1, 2, 3, 4)],
            "can have its classes along axis 1 or 2 with labels of shape (5). Say which by the class axis (--class-axis" },
        { "label per sample", [Longs("input", [1, 2], 0, 1), Longs("labels", [1], 0)],
            "output 'logits' of shape (N, 2, 5): does not fit labels of shape () per sample" },
        { "other ignore index", [Longs("input", [1, 2], 0, 1), Longs("labels", [1, 2], 0, -1)],
            "label 1 is -1; the model's classes are 0 to 4, and -100 marks a position that does not count" },
        { "class", [Longs("input", [1, 2], 0, 1), Longs("labels", [1, 2], 5, 0)], "label 0 is 5" },
        { "nothing labelled", [Longs("input", [1, 2], 0, 1), Longs("labels", [1, 2], -100, -100)],
            "array 'labels' labels no position; give at least one label" },
        { "counts", [Longs("input", [2, 2], 0, 1, 2, 3), Longs("labels", [1, 2], 1, 0)], "has labels for 1 of 2 samples" },
        { "floats", [Floats("input", [1, 2], 0, 1), Longs("labels", [1, 2], 1, 0)], "array 'input' holds Float32; save it as int64" },
    };

    [Theory, MemberData(nameof(Refused))]
    public async Task Batches_that_do_not_fit_are_refused(string name, NpyArray[] arrays, string expected)
    {
        using var work = new Workspace().Write("model.onnx", LanguageModel()).Write("batch.npz", arrays);
        var outcome = await work.RunAsync("inspect gradients {model.onnx} --batch {batch.npz} --out {out.npz}");
        Assert.True(outcome.Code == ExitCodes.BadInput && outcome.Error.Contains(expected), $"{name}: {outcome.Error}");
    }

    static void Near(double[] expected, params NpyArray[] actual)
    {
        float[] values = [.. actual.SelectMany(a => a.ToSingles())];
        Assert.Equal(expected.Length, values.Length);
        for (var i = 0; i < expected.Length; i++) Assert.Equal(expected[i], values[i], 3e-6);
    }
}
