using RegistryUnlearn.Training.Buffers;

namespace RegistryUnlearn.Training.Engines;

/// <summary>Loss and gradients of a model on batches of any size, at the present values of its parameters.</summary>
public interface IGradientEngine : IDisposable
{
    /// <summary>Where the samples of a batch of this size go; valid until the engine is disposed.</summary>
    InputSpan Inputs(int rows);

    /// <summary>Where their labels go.</summary>
    Span<long> Labels(int rows);

    /// <summary>Writes the gradients of the batch of this size and returns its loss.</summary>
    float Run(int rows);
}

/// <param name="parameters">Read at every run.</param>
/// <param name="gradients">Written at every run.</param>
public delegate IGradientEngine GradientEngineFactory(TensorBlock parameters, TensorBlock gradients);

public enum EngineKind
{
    /// <summary>Gradients as an ordinary graph, on any ONNX Runtime and device.</summary>
    Portable,

    /// <summary>The training session of the package Microsoft.ML.OnnxRuntime.Training.</summary>
    OrtTraining,
}
