using RegistryUnlearn.Cli.Tests.Support;
using RegistryUnlearn.Unlearning.Data;
using static RegistryUnlearn.Cli.Tests.Support.Make;

namespace RegistryUnlearn.Cli.Tests;

public sealed class InspectLtuStepTests
{
    const string Config = """{"alpha":0,"lambda":1,"eta":0.5,"forget_weight":1,"mi_support":0,"mi_query":[0,0]}""";

    public static TheoryData<string, string, string, string> Cases { get; } = new(
        from name in new[] { "cnn-agree", "cnn-conflict", "vit-conflict" }
        from order in new[] { "exact", "first" }
        from scope in new[] { "global", "tensor" }
        from mode in new[] { "symmetric", "protect-remember" }
        select (name, order, scope, mode));

    [Theory, MemberData(nameof(Cases))]
    public async Task Agrees_with_the_golden_step(string name, string order, string scope, string mode)
    {
        var folder = Fixture.Folder($"ltu-step/{name}");
        using var work = new Workspace();
        var outcome = await work.RunAsync($"inspect ltu-step {folder}/model.onnx --config {folder}/config.json --batch {folder}/step.npz "
            + $"--order {order} --scope {scope} --mode {mode} --out {{out.npz}} --output json");
        Assert.Equal((0, ""), (outcome.Code, outcome.Error));
        var golden = NpzReader.ReadAll(Path.Combine(folder, "step.npz"));
        var actual = work.Read("out.npz");
        Fixture.Agree(golden[$"{order}/loss"], actual["loss"], 1e-4);
        Fixture.Agree(golden[$"{order}/cosine"], actual["cosine"], 1e-3);
        foreach (var (from, to, tolerance) in new[]
        {
            ($"{order}/remember/", "remember/", 1e-4),
            ($"{order}/forget/", "forget/", 1e-4),
            ($"{order}/{scope}/{mode}/updated/", "updated/", 1e-5),
        })
        {
            string[] parameters = [.. golden.Keys.Where(k => k.StartsWith(from, StringComparison.Ordinal)).Select(k => k[from.Length..])];
            Assert.Equal(parameters.Length, actual.Keys.Count(k => k.StartsWith(to, StringComparison.Ordinal)));
            foreach (var parameter in parameters) Fixture.Agree(golden[from + parameter], actual[to + parameter], tolerance);
        }
    }

    [Fact]
    public async Task Takes_any_number_of_queries_and_any_batch_sizes()
    {
        using var work = new Workspace().Write("model.onnx", Linear()).Write("config.json", Config).Write("step.npz", Step());
        var outcome = await work.RunAsync("inspect ltu-step {model.onnx} --config {config.json} --batch {step.npz} --out {out.npz}");
        Assert.Equal(new Outcome(0, """
            feedback  support loss  query loss
            remember  1.09861       1.09861
            forget    0.693147      0.693147

            Cosine of the two gradients 0; projected 0.0 %, 100.0 % of the forgetting gradient's norm kept.
            Step written to out.npz

            """, ""), outcome);
        var arrays = work.Read("out.npz");
        // The gradient of the bias at zero is (−1/6, 1/3, −1/6) on support and query alike; a membership model of zeros pulls nowhere.
        Near([1.0986123f, 1.0986123f, 0.6931472f, 0.6931472f], arrays["loss"].ToSingles());
        Near([-1 / 3f, 2 / 3f, -1 / 3f], arrays["remember/b"].ToSingles());
        Near([0, 0, 0], arrays["forget/b"].ToSingles());
        Near([1 / 6f, -1 / 3f, 1 / 6f], arrays["updated/b"].ToSingles());
    }

    [Fact]
    public async Task Takes_models_of_a_fixed_batch()
    {
        using var work = new Workspace().Write("model.onnx", Linear(batch: "2"))
            .Write("config.json", Config.Replace("[0,0]", "[0]"))
            .Write("step.npz", [.. Batches(), Floats("mi/weights", [1, 4], 0, 0, 0, 0), Floats("mi/bias", [1], 0)]);
        var outcome = await work.RunAsync("inspect ltu-step {model.onnx} --config {config.json} --batch {step.npz} --out {out.npz}");
        Assert.Equal((0, ""), (outcome.Code, outcome.Error));
        Near([1 / 6f, -1 / 3f, 1 / 6f], work.Read("out.npz")["updated/b"].ToSingles());

        static IEnumerable<NpyArray> Batches() =>
            from batch in new[] { "remember-support", "remember-query-0", "forget-support", "forget-query-0" }
            from array in new[] { Floats($"batch/{batch}/input", [2, 2], 1, 2, 3, 4), Longs($"batch/{batch}/labels", [2], 0, 2) }
            select array;
    }

    [Theory]
    [InlineData("""{"alpha":0,"lambda":1,"eta":0.5,"forget_weight":1,"mi_support":0}""", "config.json: field 'mi_query' is missing")]
    [InlineData("""{"alpha":"a","lambda":-1,"eta":1e99,"forget_weight":1,"mi_support":0.5,"mi_query":[],"eps":1e-5,"more":1}""", """
        config.json: 7 errors
          field 'more' is unknown; known are alpha, lambda, eta, forget_weight, mi_support, mi_query, eps
          field 'eps' is 1e-5; only 1e-6 is supported
          field 'alpha' is "a"; give a number that is not negative
          field 'lambda' is -1; give a number that is not negative
          field 'eta' is 1e99; give a number that is not negative
          field 'mi_support' is 0.5; give the row of a membership model, counted from 0
          field 'mi_query' is []; give an array with one row per forgetting query batch, at least one
        """)]
    [InlineData("[]", "config.json: is not a JSON object")]
    [InlineData("""{"alpha":0,"lambda":1,"eta":0.5,"forget_weight":1,"mi_support":1,"mi_query":[0,2]}""", """
        step.npz: 2 errors
          mi_support is 1, but array 'mi/weights' has 1 rows; name one of them, counted from 0
          mi_query[1] is 2, but array 'mi/weights' has 1 rows; name one of them, counted from 0
        """)]
    [InlineData("""{"alpha":0,"lambda":1,"eta":0.5,"forget_weight":1,"mi_support":0,"mi_query":[0]}""",
        "step.npz: there are 2 forgetting query batches, but mi_query names 1 membership models; give one per batch")]
    public async Task Says_all_that_is_wrong_with_a_configuration(string config, string message)
    {
        using var work = new Workspace().Write("model.onnx", Linear()).Write("config.json", config).Write("step.npz", Step());
        var outcome = await work.RunAsync("inspect ltu-step {model.onnx} --config {config.json} --batch {step.npz} --out {out.npz}");
        Assert.Equal(new Outcome(ExitCodes.BadInput, "", message + "\n"), outcome);
        Assert.DoesNotContain("out.npz", work.Files);
    }

    [Fact]
    public async Task Says_all_that_is_wrong_with_the_batches()
    {
        using var work = new Workspace().Write("model.onnx", Linear()).Write("config.json", Config).Write("step.npz",
            Floats("batch/remember-support/input", [2, 2], 1, 2, 3, float.NaN), Longs("batch/remember-support/labels", [2], 0, 2),
            Floats("batch/remember-query-1/input", [1, 3], 1, 2, 3), Floats("batch/remember-query-1/labels", [1], 1),
            Floats("batch/forget-support/input", [1, 2], 1, 2), Longs("batch/forget-support/labels", [1], 3),
            Floats("batch/forget-query-0/input", [1, 2], 1, 2), Longs("batch/forget-query-0/labels", [2], 0, 1),
            Floats("batch/forget-query-1/input", [1, 2], 1, 2), Longs("batch/forget-query-1/labels", [1], 0),
            Floats("mi/weights", [1, 3], 0, 0, 0), Floats("mi/bias", [1], 0));
        var outcome = await work.RunAsync("inspect ltu-step {model.onnx} --config {config.json} --batch {step.npz} --out {out.npz}");
        const string Held = "the file holds: batch/remember-support/input, batch/remember-support/labels, batch/remember-query-1/input, "
            + "batch/remember-query-1/labels, batch/forget-support/input, batch/forget-support/labels, batch/forget-query-0/input, "
            + "batch/forget-query-0/labels, batch/forget-query-1/input, batch/forget-query-1/labels, mi/weights, mi/bias";
        Assert.Equal(new Outcome(ExitCodes.BadInput, "", $"""
            step.npz: 8 errors
              array 'batch/remember-support/input' element 3 is not finite; repair or remove it
              array 'batch/remember-query-0/input': it is not in the file; {Held}
              array 'batch/remember-query-0/labels': it is not in the file; {Held}
              array 'batch/remember-query-1/input' has shape (1, 3); give (N, 2)
              array 'batch/remember-query-1/labels' holds Float32; save it as int64
              array 'batch/forget-support/labels' label 0 is 3; the model's classes are 0 to 2
              array 'batch/forget-query-0/labels' has 2 labels for 1 samples; give one label per sample
              array 'mi/weights' has shape (1, 3); give (N, 4)

            """), outcome);
    }

    /// <summary>One query to remember, two to forget; batches of one and two samples.</summary>
    static NpyArray[] Step() =>
    [
        Floats("batch/remember-support/input", [2, 2], 1, 2, 3, 4), Longs("batch/remember-support/labels", [2], 0, 2),
        Floats("batch/remember-query-0/input", [4, 2], 1, 2, 3, 4, 1, 2, 3, 4), Longs("batch/remember-query-0/labels", [4], 0, 2, 0, 2),
        Floats("batch/forget-support/input", [1, 2], 1, 2), Longs("batch/forget-support/labels", [1], 1),
        Floats("batch/forget-query-0/input", [3, 2], 1, 2, 3, 4, 5, 6), Longs("batch/forget-query-0/labels", [3], 0, 1, 2),
        Floats("batch/forget-query-1/input", [1, 2], 3, 4), Longs("batch/forget-query-1/labels", [1], 0),
        Floats("mi/weights", [1, 4], 0, 0, 0, 0), Floats("mi/bias", [1], 0),
    ];

    static void Near(float[] expected, float[] actual)
    {
        Assert.Equal(expected.Length, actual.Length);
        for (var i = 0; i < expected.Length; i++) Assert.Equal(expected[i], actual[i], 1e-6f);
    }
}
