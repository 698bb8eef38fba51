using RegistryUnlearn.Onnx.Graphs;
using RegistryUnlearn.Unlearning.Data;
using RegistryUnlearn.Unlearning.Runs;

namespace RegistryUnlearn.Unlearning.Methods.SmallGradients;

/// <param name="Share">Share of each kernel's weights that begins anew, 0..1</param>
/// <param name="Damping">What the gradient of the kernels' other weights is multiplied with, 0..1</param>
/// <param name="Steps">1..1,000,000</param>
/// <param name="Batch">Samples per step, 1..65,536</param>
public sealed record SmallGradientsOptions(
    float Share, float Damping, int Steps, int Batch, OptimizerOptions Optimizer, StopOptions Stop);

/// <summary>
/// MSG, masked small gradients: of every convolution kernel, the weights with the smallest gradient of CE on retained − CE on forget
/// samples begin anew; then all are trained on retained samples, the others at a reduced rate (Cadet et al., Deep Unlearn, 2024, after the
/// NeurIPS 2023 unlearning competition).
/// </summary>
public sealed class SmallGradientsMethod : IUnlearningMethod
{
    public string Name => "msg";

    public string Summary => "begins convolution weights with small gradients anew, then trains on retained samples";

    public string Needs => "a model with convolutions, and nearly all retained samples";

    public string NotFor => "a small part of the retained samples, which cannot repair the kernels; models without convolutions";

    public object ReadOptions(OptionReader reader) => new SmallGradientsOptions(
        reader.Float("share", 0.3f, 0, 1),
        reader.Float("damping", 0.1f, 0, 1),
        reader.Int("steps", 200, 1, 1_000_000),
        reader.Int("batch", 64, 1, 65_536),
        // AdamW would undo the damping: it divides every gradient by its own size.
        OptimizerOptions.Read(reader, new(OptimizerKind.Sgd, 0.01f, 0.9f, 0, Schedule.Linear)),
        StopOptions.Read(reader, StopKind.None));

    public MethodRun Start(UnlearningTask task, object options)
    {
        var given = (SmallGradientsOptions)options;
        ParameterUse[] kernels =
            [.. task.Model.Uses.Where(u => u is { Operator: "Conv" or "ConvTranspose", Input: 1 })];
        if (kernels.Length is 0)
            throw new DataException(task.Retained.Data.File, null, "the model has no convolution kernels", "choose another method than msg");
        var forget = task.Forget ?? throw new ArgumentException("the task has no samples to forget", nameof(task));
        using var gradient = GradientSum.Of(task, forget, task.Batch(given.Batch),
            new SummedSamples(task.Retained, 1, "contrast/retained"), new SummedSamples(forget, -1, "contrast/forget"));
        // 1 where a weight begins anew.
        var chosen = kernels.ToDictionary(k => k.Parameter, k => Smallest(gradient[k.Parameter], given.Share));
        return new FineTuneRun(task, given.Steps, given.Batch, given.Optimizer, given.Stop,
            prepare: parameters =>
            {
                foreach (var kernel in kernels)
                    Begin(parameters[kernel.Parameter], kernel, task, chosen[kernel.Parameter]);
            },
            damp: factors =>
            {
                foreach (var (parameter, anew) in chosen)
                    for (var i = 0; i < anew.Length; i++)
                        if (!anew[i])
                            factors[parameter][i] = given.Damping;
            });
    }

    /// <summary>Where the elements with the smallest absolute values are; of equal ones the first.</summary>
    static bool[] Smallest(ReadOnlySpan<float> values, float share)
    {
        float[] sizes = [.. values];
        var order = Enumerable.Range(0, sizes.Length).OrderBy(i => MathF.Abs(sizes[i])).ThenBy(i => i);
        var chosen = new bool[sizes.Length];
        foreach (var i in order.Take((int)Math.Round(share * sizes.Length)))
            chosen[i] = true;
        return chosen;
    }

    static void Begin(Span<float> weights, ParameterUse kernel, UnlearningTask task, bool[] chosen)
    {
        var anew = new float[weights.Length];
        Reinitialization.Fill(anew, kernel, task.Model.Parameters[kernel.Parameter].Shape.Count, task.Seed);
        for (var i = 0; i < chosen.Length; i++)
            if (chosen[i])
                weights[i] = anew[i];
    }
}
