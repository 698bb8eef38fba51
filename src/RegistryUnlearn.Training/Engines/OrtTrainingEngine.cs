using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;
using RegistryUnlearn.Onnx.Graphs;
using RegistryUnlearn.Onnx.Models;
using RegistryUnlearn.Onnx.Runtime;
using RegistryUnlearn.Onnx.TrainingArtifacts;
using RegistryUnlearn.Training.Buffers;
using RegistryUnlearn.Training.Devices;

namespace RegistryUnlearn.Training.Engines;

/// <summary>Training artifacts of a model as files, and the names in them.</summary>
public sealed record OrtTrainingFiles(
    string Checkpoint, string Training, string Evaluation, string Optimizer, string Samples, string Labels, string Loss);

/// <summary>
/// The training session of ONNX Runtime. It has parameters of its own, which take the present values before every run; the gradients of
/// a run are read from outputs (<see cref="OrtTrainingContract.GradientOutput"/>), since it has no call for them.
/// </summary>
public sealed class OrtTrainingEngine : IGradientEngine
{
    readonly ForwardModel model;
    readonly TensorBlock parameters;
    readonly TensorBlock gradients;
    readonly CheckpointState state;
    readonly TrainingSession session;
    readonly bool samplesFirst;
    readonly int loss;

    /// <summary>The tensor of each of the session's outputs; -1 for those that are no gradient.</summary>
    readonly int[] tensorOf;
    readonly Dictionary<int, (NativeTensor Samples, NativeTensor Labels)> batches = [];

    /// <param name="files">Of the model, for the parameters in the blocks.</param>
    /// <exception cref="DeviceException">This build cannot train, or is told to work on another device than the CPU.</exception>
    /// <exception cref="OnnxModelException">The training session does not accept the files.</exception>
    public OrtTrainingEngine(OrtTrainingFiles files, ForwardModel model, TensorBlock parameters, TensorBlock gradients)
    {
        RequireAvailable();
        (this.model, this.parameters, this.gradients) = (model, parameters, gradients);
        using var options = OrtRuntime.NewOptions();
        try
        {
            state = CheckpointState.LoadCheckpoint(files.Checkpoint);
            session = new TrainingSession(options, state, files.Training, files.Evaluation, files.Optimizer);
        }
        catch (OnnxRuntimeException e)
        {
            state?.Dispose();
            throw new OnnxModelException($"ONNX Runtime Training does not accept the training artifacts: {e.Message}", e);
        }
        samplesFirst = session.InputNames(training: true).IndexOf(files.Samples) == 0;
        var outputs = session.OutputNames(training: true);
        loss = outputs.IndexOf(files.Loss);
        var tensors = parameters.Layout.Select((p, i) => (Name: OrtTrainingContract.GradientOutput + p.Name, i))
            .ToDictionary(t => t.Name, t => t.i);
        tensorOf = [.. outputs.Select(o => tensors.GetValueOrDefault(o, -1))];
    }

    /// <exception cref="DeviceException">This build cannot train, or is told to work on another device than the CPU.</exception>
    public static void RequireAvailable()
    {
        if (ExecutionDevice.Current != ExecutionDevice.Cpu)
            throw new DeviceException($"the engine ort-training runs on the cpu, not on {ExecutionDevice.Current.Name}");
        using var options = OrtRuntime.NewOptions();
        try
        {
            CheckpointState.LoadCheckpoint("").Dispose();
        }
        catch (InvalidOperationException e)
        {
            throw new DeviceException("the engine ort-training needs an ONNX Runtime that trains: build with "
                + "'dotnet build -p:OnnxRuntimeFlavor=Training' (package Microsoft.ML.OnnxRuntime.Training)", e);
        }
        catch (OnnxRuntimeException)
        {
            // It can train: it looked for the file, and there is none without a name.
        }
    }

    public InputSpan Inputs(int rows) => At(rows).Samples.Inputs;

    public Span<long> Labels(int rows) => At(rows).Labels.Longs;

    public float Run(int rows)
    {
        for (var i = 0; i < parameters.TensorCount; i++)
            state.UpdateParameter(parameters.Layout[i].Name, parameters.Value(i));
        var (samples, labels) = At(rows);
        session.LazyResetGrad();
        using var outputs = session.TrainStep(samplesFirst ? [samples.Value, labels.Value] : [labels.Value, samples.Value]);
        for (var i = 0; i < tensorOf.Length; i++)
            if (tensorOf[i] >= 0) outputs.ElementAt(i).GetTensorDataAsSpan<float>().CopyTo(gradients[tensorOf[i]]);
        return outputs.ElementAt(loss).GetTensorDataAsSpan<float>()[0];
    }

    (NativeTensor Samples, NativeTensor Labels) At(int rows)
    {
        if (!batches.TryGetValue(rows, out var batch))
            batches[rows] = batch = (
                new((TensorElementType)(int)model.InputElement, [rows, .. model.SampleShape]),
                new(TensorElementType.Int64, [rows, .. model.Layout.Positions]));
        return batch;
    }

    public void Dispose()
    {
        foreach (var (samples, labels) in batches.Values)
        {
            samples.Dispose();
            labels.Dispose();
        }
        session.Dispose();
        state.Dispose();
    }
}
