namespace RegistryUnlearn.Auditing;

/// <summary>What a model of a pool was trained on.</summary>
public enum PoolKind
{
    /// <summary>The retained set alone.</summary>
    Oracle,

    /// <summary>A random half of the whole training set; models 2k and 2k + 1 have halves that complement each other.</summary>
    Reference,

    /// <summary>The whole training set, and unlearned afterwards by the method that is audited.</summary>
    Unlearned,
}

/// <summary>What one model of a pool answers on the sets of the audit.</summary>
/// <param name="Index">Number within its kind, from 0.</param>
/// <param name="Knows">Of a reference model: whether it was trained on each forget sample, in their order; null for the others.</param>
public sealed record PooledOutputs(PoolKind Kind, int Index, ulong Seed, ModelOutputs Outputs, bool[]? Knows = null);
