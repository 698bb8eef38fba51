using RegistryUnlearn.Unlearning.Data;
using RegistryUnlearn.Unlearning.Methods;
using RegistryUnlearn.Unlearning.Runs;

namespace RegistryUnlearn.Unlearning.Tests.Methods;

/// <summary>
/// Steps of baselines on whole sets, against PyTorch in float64 where numbers are given: four retained and two forget samples, plain
/// gradient descent at rate 0.2. Losses come in the order retained, forget.
/// </summary>
public class BaselineStepTests
{
    const string Descent = """
        "optimizer": "sgd", "learningRate": 0.2, "momentum": 0, "weightDecay": 0, "schedule": "constant", "stop": "none"
        """;

    static readonly float[] Inputs = [1, 2, -1, 0.5f, 0, -2, 3, 1, 2, -1, 0.5f, 0.5f];
    static readonly DataSet Three = Tiny.Data(Inputs, [2], 0, 1, 2, 1, 2, 0);
    static readonly DataSet Two = Tiny.Data(Inputs, [2], 0, 1, 1, 0, 1, 0);

    [Theory]
    [InlineData("lur", """ "steps": 2, "alpha": 0.5, "forgetWeight": 0.3, "order": "exact" """,
        new[] { 0.794173, 0.620238, 0.7312353, 0.654573 },
        new[] { 0.05359119, -0.05695149, 0.2033603, 0.4461401, 0.5215399, -0.6676801, -0.01373224, 0.09742581, -0.08369357 })]
    [InlineData("lur", """ "steps": 2, "alpha": 0.5, "forgetWeight": 0.3, "order": "first" """,
        new[] { 0.794173, 0.620238, 0.733501, 0.652712 },
        new[] { 0.05759963, -0.06288967, 0.20529, 0.4442439, 0.5229578, -0.6672017, -0.01087099, 0.09198398, -0.08111299 })]
    [InlineData("l1-sparse", """ "steps": 3, "sparsity": 0.05 """,
        new[] { 0.8058708, 0.7422183, 0.699263 },
        new[] { 0.0116106, -0.01074634, 0.1791357, 0.4760208, 0.5126283, -0.7086491, -0.021905, 0.09240452, -0.07383286 })]
    [InlineData("scrub",
        """ "steps": 3, "labelWeight": 1.5, "teacherWeight": 0.5, "forgetWeight": 0.3, "forgetShare": 0.67, "temperature": 2 """,
        new[] { 1.208806, 0, 1.082561, 0.00743289, 1.01905 },
        new[] { 0.01062249, 0.01040724, 0.1789703, 0.5430181, 0.5204951, -0.7635132, -0.03123289, 0.1386089, -0.107376 })]
    public void Steps_as_PyTorch_does(string method, string options, double[] losses, double[] parameters)
    {
        using var model = Tiny.Linear([2], 3, [0.1f, -0.2f, 0.3f, 0.4f, 0.5f, -0.6f], [0.05f, 0, -0.05f]);
        using var run = Start(method, options, Task(model, Three, 3));
        Finish(run);

        Tiny.AssertClose(losses, [.. run.Traces.SelectMany(t => new[] { t.RememberLoss, t.ForgetLoss }).OfType<float>()]);
        Tiny.AssertClose(parameters, Tiny.Values(run.Result));
    }

    /// <summary>With two classes the only other label is the wrong one.</summary>
    [Theory]
    [InlineData("srl", "", new[] { 0.5923969, 0.5846198, 0.4437291, 0.5809635 },
        new[] { 0.2888294, -0.3888294, 0.5096102, 0.3903898, -0.02126848, 0.02126848 })]
    [InlineData("salun", ", \"share\": 0.4", new[] { 0.5923969, 0.5846198, 0.5076641, 0.5568336 },
        new[] { 0.2877096, -0.3877096, 0.4, 0.5, 0.05, -0.05 })]
    public void Teaches_other_labels(string method, string more, double[] losses, double[] parameters)
    {
        using var model = Tiny.Linear([2], 2, [0.1f, -0.2f, 0.4f, 0.5f], [0.05f, -0.05f]);
        using var run = Start(method, $"\"steps\": 2, \"forgetWeight\": 0.7{more}", Task(model, Two, 2));
        Finish(run);

        Tiny.AssertClose(losses, [.. run.Traces.SelectMany(t => new[] { t.RememberLoss, t.ForgetLoss!.Value })]);
        Tiny.AssertClose(parameters, Tiny.Values(run.Result));
    }

    [Fact]
    public void The_last_layer_is_trained_and_the_first_kept()
    {
        using var model = Perceptron();
        using var run = Start("cf-k", "\"steps\": 2, \"layers\": 1", Task(model, Three, 3));
        Finish(run);

        Tiny.AssertClose([1.171768, 0.8775978], [.. run.Traces.Select(t => t.RememberLoss)]);
        Assert.Equal(model.Parameters[0].ToArray(), run.Result[0].ToArray());
        Assert.Equal(model.Parameters[1].ToArray(), run.Result[1].ToArray());
        Tiny.AssertClose(
            [
                0.4339264, 0.9532197, 0.7036225, 0.2600663, -0.5880175, -1.21486, -0.5096765, 0.4342616, 0.7742707, 0.4414732, 0.8330584,
                0.8836633,
            ],
            [.. run.Result[2].ToArray(), .. run.Result[3].ToArray()]);
    }

    [Fact]
    public void The_last_layer_begins_anew_and_the_first_is_kept()
    {
        using var model = Perceptron();
        using var run = Start("eu-k", "\"steps\": 1, \"layers\": 1, \"learningRate\": 1e-8", Task(model, Three, 3), descent: false);

        Assert.Equal(model.Parameters[0].ToArray(), run.Parameters[0].ToArray());
        Assert.Equal(model.Parameters[1].ToArray(), run.Parameters[1].ToArray());
        Assert.All(run.Parameters[3].ToArray(), b => Assert.Equal(0, b));
        Assert.NotEqual(model.Parameters[2].ToArray(), run.Parameters[2].ToArray());
        run.Advance();
        Assert.Equal(model.Parameters[0].ToArray(), run.Result[0].ToArray());
    }

    /// <summary>Weights of a product begin normal with variance 1/fan-in: 4,000 of them say so within four standard errors.</summary>
    [Fact]
    public void New_weights_have_the_stated_spread()
    {
        const int inputs = 400;
        using var model = Tiny.Linear([inputs], 10, new float[inputs * 10], new float[10]);
        Reinitialization.Fill(model.Parameters, model.Forward, null, 3);
        var values = model.Parameters[0].ToArray();
        var error = Math.Sqrt(2.0 / values.Length);
        Assert.InRange(values.Sum(v => v * v) / values.Length * inputs, 1 - 4 * error, 1 + 4 * error);
        Assert.InRange(values.Average() * Math.Sqrt(inputs), -4 / Math.Sqrt(values.Length), 4 / Math.Sqrt(values.Length));
    }

    [Fact]
    public void Retraining_does_not_see_the_originals_parameters()
    {
        var results = new List<float[]>();
        foreach (var scale in new[] { 1f, -3f })
        {
            using var model = Tiny.Perceptron(2, 3, 3, Tiny.Wave(6, 0.7, 0.1, scale), Tiny.Wave(3, 0.3, 0.2, scale),
                Tiny.Wave(9, 0.9, 0.3, scale), Tiny.Wave(3, 0.5, 0.4, scale));
            using var run = Tiny.Start("retrain", Task(model, Three, 3), """{"epochs": 40, "batch": 2, "learningRate": 0.05}""");
            Finish(run);
            Assert.True(run.Traces[^1].RememberLoss < 0.5 * run.Traces[0].RememberLoss);
            results.Add(Tiny.Values(run.Result));
        }
        Assert.Equal(results[0], results[1]);
    }

    /// <summary>The first step's loss is the divergence of the original from a network with the values that begin anew.</summary>
    [Fact]
    public void A_bad_teacher_knows_nothing_of_the_samples_to_forget()
    {
        using var model = Tiny.Linear([2], 3, [0.1f, -0.2f, 0.3f, 0.4f, 0.5f, -0.6f], [0.05f, 0, -0.05f]);
        using var run = Start("bad-teacher", "\"steps\": 1, \"forgetWeight\": 0.5", Task(model, Three, 3));
        using var teacher = model.Parameters.Clone();
        Reinitialization.Fill(teacher, model.Forward, null, 1);
        var expected = 0.0;
        foreach (var row in new[] { 4, 5 })
        {
            var (q, p) = (Softmax(teacher, row), Softmax(model.Parameters, row));
            expected += q.Zip(p, (a, b) => a * Math.Log(a / b)).Sum() / 2;
        }
        run.Advance();
        Tiny.AssertClose([0, expected], [run.Traces[0].RememberLoss, run.Traces[0].ForgetLoss!.Value]);
    }

    static double[] Softmax(Training.Buffers.TensorBlock linear, int row)
    {
        var z = new double[3];
        for (var c = 0; c < z.Length; c++)
            z[c] = linear[1][c] + Inputs[2 * row] * linear[0][c] + Inputs[2 * row + 1] * linear[0][3 + c];
        var sum = z.Sum(Math.Exp);
        return [.. z.Select(v => Math.Exp(v) / sum)];
    }

    [Fact]
    public void Kernels_are_transposed()
    {
        using var model = Convolution();
        using var run = Start("ct", "\"steps\": 1", Task(model));
        var (before, after) = (model.Parameters[0].ToArray(), run.Parameters[0].ToArray());
        for (var k = 0; k < 2; k++)
            for (var y = 0; y < 3; y++)
                for (var x = 0; x < 3; x++)
                    Assert.Equal(before[9 * k + 3 * y + x], after[9 * k + 3 * x + y]);
    }

    /// <summary>Of 18 kernel weights, the six with the smallest gradient of the contrast, by PyTorch.</summary>
    [Fact]
    public void Weights_with_small_gradients_begin_anew()
    {
        using var model = Convolution();
        using var run = Start("msg", "\"steps\": 1, \"share\": 0.3333", Task(model));
        int[] anew = [2, 6, 10, 11, 15, 16];
        var (before, after) = (model.Parameters[0].ToArray(), run.Parameters[0].ToArray());
        Assert.Equal(anew, Enumerable.Range(0, 18).Where(i => before[i] != after[i]));
        var moved = run.Parameters[0].ToArray();
        run.Advance();
        var step = run.Result[0].ToArray().Zip(moved, (a, b) => Math.Abs(a - b)).ToArray();
        using var undamped = Start("msg", "\"steps\": 1, \"share\": 0.3333, \"damping\": 1", Task(model));
        undamped.Advance();
        var full = undamped.Result[0].ToArray().Zip(moved, (a, b) => Math.Abs(a - b)).ToArray();
        for (var i = 0; i < step.Length; i++)
            Assert.Equal(anew.Contains(i) ? full[i] : 0.1 * full[i], step[i], 1e-6);
    }

    [Theory]
    [InlineData("ct", "the model has no square convolution kernels to transpose; choose another method than ct.")]
    [InlineData("msg", "the model has no convolution kernels; choose another method than msg.")]
    public void Methods_of_convolutions_refuse_models_without(string method, string message)
    {
        using var model = Perceptron();
        Assert.Equal($"memory: {message}", Assert.Throws<DataException>(() => Start(method, "\"steps\": 1", Task(model, Three, 3))).Message);
    }

    [Theory]
    [InlineData("cf-k")]
    [InlineData("eu-k")]
    [InlineData("salun")]
    public void What_is_kept_must_not_decay(string method) => Assert.Equal(
        ["options.weightDecay is 0.01; give a number from 0 to 0"],
        Tiny.Read(MethodCatalog.Find(method)!, """{"weightDecay": 0.01}""").Errors);

    [Theory]
    [InlineData("lur")]
    [InlineData("srl")]
    [InlineData("salun")]
    [InlineData("scrub")]
    [InlineData("bad-teacher")]
    [InlineData("msg")]
    public void Methods_that_forget_need_something_to_forget(string method)
    {
        using var model = Convolution();
        Assert.StartsWith("the task has no samples to forget",
            Assert.Throws<ArgumentException>(() => Start(method, "\"steps\": 1", Task(model) with { Forget = null })).Message);
    }

    [Fact]
    public void Every_method_says_what_it_is_what_it_needs_and_when_not_to_use_it()
    {
        Assert.Equal(16, MethodCatalog.All.Count());
        Assert.All(MethodCatalog.All, m => Assert.All([m.Summary, m.Needs, m.NotFor], line => Assert.InRange(line.Length, 10, 130)));
    }

    static TinyModel Perceptron() => Tiny.Perceptron(
        2, 3, 3, Tiny.Wave(6, 0.7, 0.1), Tiny.Wave(3, 0.3, 0.2), Tiny.Wave(9, 0.9, 0.3), Tiny.Wave(3, 0.5, 0.4));

    static TinyModel Convolution() => new(
        [1, 5, 5], null,
        (g, x, at) => g.ReduceMean(g.Add("Relu", [g.Add("Conv", [x, at("kernel"), at("bias")])]), [2, 3], keep: false),
        ("kernel", [2, 1, 3, 3], Tiny.Wave(18, 0.8, 0.2)), ("bias", [2], [0, 0]));

    /// <summary>Four waves as images, two to keep and two to forget.</summary>
    static UnlearningTask Task(TinyModel model)
    {
        var data = Tiny.Data(Tiny.Wave(100, 0.37, 0.5), [1, 5, 5], 0, 1, 1, 0);
        return new(model.Forward, model.Parameters, 2, data.Rows(2, 4, "forget"), data.Rows(0, 2, "retained"), null, 4, 1);
    }

    static UnlearningTask Task(TinyModel model, DataSet data, int classes) =>
        new(model.Forward, model.Parameters, classes, data.Rows(4, 6, "forget"), data.Rows(0, 4, "retained"), null, 6, 1);

    static MethodRun Start(string method, string options, UnlearningTask task, bool descent = true) =>
        Tiny.Start(method, task, $"{{{options}, \"batch\": 4{(descent ? "," + Descent : "")}}}");

    static void Finish(MethodRun run)
    {
        while (!run.IsDone)
            run.Advance();
    }
}
