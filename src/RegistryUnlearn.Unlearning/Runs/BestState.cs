using RegistryUnlearn.Training.Buffers;

namespace RegistryUnlearn.Unlearning.Runs;

/// <summary>The parameters with the lowest score so far; the original counts as step 0.</summary>
sealed class BestState(TensorBlock original, double score) : IDisposable
{
    /// <summary>What a score must be lower by: less is rounding.</summary>
    const double Margin = 1e-4;

    public TensorBlock Parameters { get; } = original.Clone();

    public double Score { get; private set; } = score;

    public int Step { get; private set; }

    /// <summary>Keeps a copy of the parameters if their score is clearly lower than any before.</summary>
    public void Offer(double reached, int step, TensorBlock parameters)
    {
        if (!(reached < Score - Margin))
            return;
        (Score, Step) = (reached, step);
        Parameters.CopyFrom(parameters);
    }

    public void Save(BinaryWriter writer)
    {
        writer.Write(Score);
        writer.Write(Step);
        for (var i = 0; i < Parameters.TensorCount; i++)
            writer.Write(System.Runtime.InteropServices.MemoryMarshal.AsBytes(Parameters[i]));
    }

    public void Restore(BinaryReader reader)
    {
        (Score, Step) = (reader.ReadDouble(), reader.ReadInt32());
        for (var i = 0; i < Parameters.TensorCount; i++)
            reader.BaseStream.ReadExactly(System.Runtime.InteropServices.MemoryMarshal.AsBytes(Parameters[i]));
    }

    public void Dispose() => Parameters.Dispose();
}
