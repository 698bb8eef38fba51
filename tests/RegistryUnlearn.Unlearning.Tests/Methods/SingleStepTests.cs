using RegistryUnlearn.Unlearning.Data;
using RegistryUnlearn.Unlearning.Methods;

namespace RegistryUnlearn.Unlearning.Tests.Methods;

/// <summary>Steps of a linear model on whole sets, against PyTorch in float64 (torch.optim.SGD and AdamW).</summary>
public class SingleStepTests
{
    static readonly DataSet Data = Tiny.Data([1, 2, -1, 0.5f, 0, -2, 3, 1, 2, -1, 0.5f, 0.5f], [2], 0, 1, 2, 1, 2, 0);

    const string Sgd = """
        "optimizer": "sgd", "learningRate": 0.1, "momentum": 0.9, "weightDecay": 0.01, "schedule": "constant"}
        """;

    /// <summary>Three steps with momentum and weight decay, and three of AdamW.</summary>
    [Theory]
    [InlineData("finetune",
        "{\"steps\": 3, \"batch\": 4, " + Sgd,
        new[] { 0.8058708, 0.7736873, 0.7216431 },
        new[] { 0.02049348, -0.01523541, 0.1936209, 0.4805986, 0.5407101, -0.7229902, -0.0117599, 0.1045089, -0.09274898 })]
    [InlineData("train",
        "{\"epochs\": 3, \"batch\": 4, " + Sgd,
        new[] { 0.8058708, 0.7736873, 0.7216431 },
        new[] { 0.02049348, -0.01523541, 0.1936209, 0.4805986, 0.5407101, -0.7229902, -0.0117599, 0.1045089, -0.09274898 })]
    [InlineData("finetune",
        """{"steps": 3, "batch": 4, "optimizer": "adamw", "learningRate": 0.05, "weightDecay": 0.1, "schedule": "constant"}""",
        new[] { 0.8058708, 0.7343105, 0.6781619 },
        new[] { -0.04666912, -0.05066941, 0.1484572, 0.543518, 0.6200448, -0.7390657, -0.09760432, 0.147291, -0.1970763 })]
    public void Learns_retained_samples(string method, string options, double[] losses, double[] parameters)
    {
        using var model = Model();
        using var run = Tiny.Start(method, Task(model), options);
        Finish(run);

        Tiny.AssertClose(losses, [.. run.Traces.Select(t => t.RememberLoss)]);
        Assert.All(run.Traces, t => Assert.Equal((null, null, null, null), (t.ForgetLoss, t.Cosine, t.Fired, t.KeptForgetNorm)));
        Tiny.AssertClose(parameters, Tiny.Values(run.Result));
        Assert.Equal([0.1f, -0.2f, 0.3f, 0.4f, 0.5f, -0.6f, 0.05f, 0, -0.05f], Tiny.Values(model.Parameters));
    }

    /// <summary>Two steps at rate 0.2 for α and anchor; losses in the order retained, forget.</summary>
    [Theory]
    [InlineData("1", "0", new[] { 0.8058708, 0.6202381, 0.7439146, 0.6405672 },
        new[] { 0.04461255, -0.07106077, 0.2264482, 0.4595034, 0.5297154, -0.6892188, 0.006628779, 0.07378258, -0.08041136 })]
    [InlineData("0.9", "0", new[] { 0.8058708, 0.6202381, 0.7483293, 0.6441599 },
        new[] { 0.05154271, -0.07576511, 0.2242224, 0.4442589, 0.5284413, -0.6727002, 0.002819156, 0.07564893, -0.07846809 })]
    [InlineData("0.8", "0.5", new[] { 0.8058708, 0.6202381, 0.7528106, 0.6477961 },
        new[] { 0.06045891, -0.08571692, 0.225258, 0.4277899, 0.5258074, -0.6535974, 0.001159291, 0.07429143, -0.07545072 })]
    [InlineData("0", "1", new[] { 0.8058708, 0.6202381, 0.7911354, 0.6785201 },
        new[] { 0.1214609, -0.1234258, 0.2019648, 0.2983313, 0.5158646, -0.5141959, -0.03020773, 0.09243882, -0.06223109 })]
    public void Descends_on_retained_and_ascends_on_forget_samples(string alpha, string anchor, double[] losses, double[] parameters)
    {
        using var model = Model();
        using var run = Tiny.Start("neggrad+", Task(model),
            $$"""
            {"alpha": {{alpha}}, "anchor": {{anchor}}, "steps": 2, "batch": 4, "optimizer": "sgd", "learningRate": 0.2, "momentum": 0,
             "weightDecay": 0, "schedule": "constant"}
            """);
        Finish(run);

        Tiny.AssertClose(losses, [.. run.Traces.SelectMany(t => new[] { t.RememberLoss, t.ForgetLoss!.Value })]);
        Tiny.AssertClose(parameters, Tiny.Values(run.Result));
    }

    /// <summary>Four samples in batches of three: an epoch is a batch of three and one of a single sample, so the loss is that sample's
    /// own.</summary>
    [Fact]
    public void Training_keeps_the_last_smaller_batch()
    {
        using var model = Model();
        using var run = Tiny.Start("train", Task(model),
            """{"epochs": 2, "batch": 3, "optimizer": "sgd", "learningRate": 1e-8, "schedule": "constant"}""");
        Finish(run);

        Assert.Equal(4, run.Steps);
        // Losses hardly move at this rate: three times the first and once the second is four times the mean of an epoch.
        for (var epoch = 0; epoch < 2; epoch++)
            Assert.Equal(4 * 0.8058708, (3 * run.Traces[2 * epoch].RememberLoss) + run.Traces[(2 * epoch) + 1].RememberLoss, 1e-5);
    }

    [Theory]
    [InlineData(2, 4, false)]
    [InlineData(2, 2, true)]
    [InlineData(3, 3, false)]
    public void Training_refuses_a_fixed_batch_that_does_not_divide_the_data(int fixedBatch, int batch, bool works)
    {
        using var model = Model(fixedBatch);
        var options = $$"""{"epochs": 1, "batch": {{batch}}, "learningRate": 0.1}""";
        if (works)
        {
            using var run = Tiny.Start("train", Task(model), options);
            Finish(run);
            Assert.Equal(2, run.Traces.Count);
        }
        else
            Assert.Equal(
                $"memory: the model takes batches of exactly {fixedBatch}; set batch to {fixedBatch} "
                + $"and use a multiple of {fixedBatch} samples, or export the model with a dynamic batch dimension.",
                Assert.Throws<DataException>(() => Tiny.Start("train", Task(model), options)).Message);
    }

    [Theory]
    [InlineData("match")]
    [InlineData("ltu")]
    public void Methods_that_mix_batches_refuse_a_fixed_one(string method)
    {
        using var model = Model(2);

        Assert.Equal(
            $"memory: the model takes batches of exactly 2, {method} mixes batches of several sizes; "
            + "export the model with a dynamic batch dimension, or use finetune or neggrad+.",
            Assert.Throws<DataException>(() => Tiny.Start(method, Task(model), "{}")).Message);
    }

    /// <summary>A fixed batch replaces the one asked for.</summary>
    [Theory]
    [InlineData("finetune")]
    [InlineData("neggrad+")]
    public void Baselines_take_the_batch_that_the_model_insists_on(string method)
    {
        using var model = Model(2);
        using var run = Tiny.Start(method, Task(model), """{"steps": 2, "batch": 64, "learningRate": 0.1}""");
        Finish(run);

        Assert.All(run.Traces, t => Assert.InRange(t.RememberLoss, 1e-3, 5));
    }

    [Theory]
    [InlineData("neggrad+")]
    [InlineData("match")]
    [InlineData("ltu")]
    public void Methods_that_forget_need_something_to_forget(string method)
    {
        using var model = Model();

        Assert.StartsWith("the task has no samples to forget",
            Assert.Throws<ArgumentException>(() => Tiny.Start(method, Task(model) with { Forget = null }, "{}")).Message);
    }

    static TinyModel Model(long? batch = null) => Tiny.Linear([2], 3, [0.1f, -0.2f, 0.3f, 0.4f, 0.5f, -0.6f], [0.05f, 0, -0.05f], batch);

    static UnlearningTask Task(TinyModel model) =>
        new(model.Forward, model.Parameters, 3, Data.Rows(4, 6, "forget"), Data.Rows(0, 4, "retained"), null, 6, 1);

    static void Finish(MethodRun run)
    {
        while (!run.IsDone)
            run.Advance();
    }
}
