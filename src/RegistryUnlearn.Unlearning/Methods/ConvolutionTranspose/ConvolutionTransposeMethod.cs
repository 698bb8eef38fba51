using RegistryUnlearn.Onnx.Graphs;
using RegistryUnlearn.Unlearning.Data;
using RegistryUnlearn.Unlearning.Runs;

namespace RegistryUnlearn.Unlearning.Methods.ConvolutionTranspose;

/// <param name="Steps">1..1,000,000</param>
/// <param name="Batch">Samples per step, 1..65,536</param>
public sealed record ConvolutionTransposeOptions(int Steps, int Batch, OptimizerOptions Optimizer, StopOptions Stop);

/// <summary>
/// CT: exchanges height and width of every square convolution kernel, then trains on retained samples (Cadet et al., Deep Unlearn, 2024,
/// after the NeurIPS 2023 unlearning competition).
/// </summary>
public sealed class ConvolutionTransposeMethod : IUnlearningMethod
{
    public string Name => "ct";

    public string Summary => "transposes convolution kernels, then trains on retained samples";

    public string Needs => "a model with square convolution kernels, and nearly all retained samples";

    public string NotFor => "a small part of the retained samples, which cannot repair the kernels; models without convolutions";

    public object ReadOptions(OptionReader reader) => new ConvolutionTransposeOptions(
        reader.Int("steps", 200, 1, 1_000_000),
        reader.Int("batch", 64, 1, 65_536),
        OptimizerOptions.Read(reader, new(OptimizerKind.Adamw, 0.001f, 0.9f, 0, Schedule.Cosine)),
        StopOptions.Read(reader, StopKind.None));

    public MethodRun Start(UnlearningTask task, object options)
    {
        var given = (ConvolutionTransposeOptions)options;
        ParameterUse[] kernels = [.. task.Model.Uses.Where(u => IsSquareKernel(u, task.Model))];
        if (kernels.Length is 0)
            throw new DataException(task.Retained.Data.File, null, "the model has no square convolution kernels to transpose",
                "choose another method than ct");
        return new FineTuneRun(task, given.Steps, given.Batch, given.Optimizer, given.Stop, prepare: parameters =>
        {
            foreach (var kernel in kernels)
                Transpose(parameters[kernel.Parameter], (int)task.Model.Parameters[kernel.Parameter].Shape[^1]);
        });
    }

    static bool IsSquareKernel(ParameterUse use, ForwardModel model) =>
        use is { Operator: "Conv" or "ConvTranspose", Input: 1 }
        && model.Parameters[use.Parameter].Shape is [_, _, var height, var width] && height == width && width > 1;

    /// <summary>Transposes every square of side × side values.</summary>
    static void Transpose(Span<float> kernels, int side)
    {
        for (var start = 0; start < kernels.Length; start += side * side)
            for (var y = 0; y < side; y++)
                for (var x = 0; x < y; x++)
                    (kernels[start + y * side + x], kernels[start + x * side + y]) =
                        (kernels[start + x * side + y], kernels[start + y * side + x]);
    }
}
