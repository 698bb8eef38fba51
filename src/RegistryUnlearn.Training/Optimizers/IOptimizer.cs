using RegistryUnlearn.Training.Buffers;

namespace RegistryUnlearn.Training.Optimizers;

/// <summary>Moves parameters along an update direction, in place; its state can be saved and restored exactly.</summary>
public interface IOptimizer : IDisposable
{
    /// <summary>Moving averages and other tensors of the state, in a fixed order.</summary>
    IReadOnlyList<TensorBlock> State { get; }

    /// <summary>Steps taken so far; set when a checkpoint is restored.</summary>
    long Steps { get; set; }

    /// <param name="direction">A descent direction is followed downhill: parameters move against it.</param>
    void Step(TensorBlock parameters, TensorBlock direction, float learningRate);
}
