using RegistryUnlearn.Training.Buffers;
using RegistryUnlearn.Training.Harmonization;
using RegistryUnlearn.Training.Optimizers;

namespace RegistryUnlearn.Training.Algebra;

/// <summary>
/// What a run computes on whole blocks, where the blocks are: vectorised in the host's memory, as graphs in a device's own.
/// </summary>
public interface IBlockAlgebra : IDisposable
{
    /// <summary>‖block‖²; NaN or infinite if an element or its square is, or a sum of squares leaves the range of float32.</summary>
    double SquareSum(TensorBlock block);

    /// <summary>target ← keep · target + weight · other.</summary>
    void Mix(TensorBlock target, float keep, TensorBlock other, float weight);

    /// <summary>target ← target ∘ factors, element by element.</summary>
    void Multiply(TensorBlock target, TensorBlock factors);

    /// <summary>target ← target + weight · sign(other); the sign of zero is zero.</summary>
    void AddSigns(TensorBlock target, TensorBlock other, float weight);

    /// <summary>See <see cref="Harmonizer"/>.</summary>
    /// <param name="remember">G_r; replaced by the update direction.</param>
    /// <param name="forget">G_f; read only.</param>
    Harmonized Harmonize(
        TensorBlock remember, TensorBlock forget, HarmonizationScope scope, HarmonizationMode mode, float forgetWeight);

    /// <summary>See <see cref="Optimizers.SgdMomentum"/>; disposed by the caller, before this object.</summary>
    IOptimizer SgdMomentum(float momentum, float weightDecay = 0);

    /// <summary>See <see cref="Optimizers.AdamW"/>; disposed by the caller, before this object.</summary>
    IOptimizer AdamW(float weightDecay = 0.01f, float beta1 = 0.9f, float beta2 = 0.999f, float epsilon = 1e-8f);
}
