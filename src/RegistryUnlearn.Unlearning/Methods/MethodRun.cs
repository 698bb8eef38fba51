using RegistryUnlearn.Training.Buffers;

namespace RegistryUnlearn.Unlearning.Methods;

/// <summary>
/// A method at work, step by step. The state between two steps can be saved and restored exactly: a run that is restored ends with the
/// same bytes as one that was never interrupted.
/// </summary>
public abstract class MethodRun : IDisposable
{
    readonly List<StepTrace> traces = [];

    /// <summary>What was last handed over of parameters on a device.</summary>
    TensorBlock? result;

    protected MethodRun(UnlearningTask task, int steps)
    {
        (Task, Steps) = (task, steps);
        Parameters = new TensorBlock(task.Original.Layout, task.Device);
        Parameters.CopyFrom(task.Original);
    }

    protected UnlearningTask Task { get; }

    /// <summary>Planned steps.</summary>
    public int Steps { get; }

    /// <summary>Steps taken.</summary>
    public int Step => traces.Count;

    public bool IsDone => Step >= Steps;

    /// <summary>θ as it stands, on the task's device.</summary>
    public TensorBlock Parameters { get; }

    /// <summary>What the method hands over when it is done, in the host's memory: by default θ as it stands.</summary>
    public virtual TensorBlock Result
    {
        get
        {
            if (Parameters.Device is null)
                return Parameters;
            result ??= new TensorBlock(Parameters.Layout);
            result.CopyFrom(Parameters);
            return result;
        }
    }

    public IReadOnlyList<StepTrace> Traces => traces;

    /// <summary>What a reader of the report should know about how the run went, in sentences.</summary>
    public virtual IReadOnlyList<string> Notes => [];

    /// <summary>Takes one step.</summary>
    /// <exception cref="DivergedException">
    /// The step gave a loss or gradient that is not finite; parameters are those before the step.
    /// </exception>
    public void Advance()
    {
        if (IsDone)
            throw new InvalidOperationException("the run is done");
        var trace = TakeStep();
        traces.Add(trace);
        AfterStep();
    }

    /// <summary>Computes and applies one update.</summary>
    protected abstract StepTrace TakeStep();

    /// <summary>Runs once <see cref="Step"/> counts the new step.</summary>
    protected virtual void AfterStep()
    {
    }

    protected void RequireFinite(double value, string what)
    {
        if (!double.IsFinite(value))
            throw new DivergedException(Step, what);
    }

    public void Save(Stream stream)
    {
        using var writer = new BinaryWriter(stream, System.Text.Encoding.UTF8, leaveOpen: true);
        writer.Write(traces.Count);
        foreach (var trace in traces)
            trace.Write(writer);
        Write(writer, Parameters);
        SaveState(writer);
    }

    /// <summary>Restores a state that <see cref="Save"/> of the same method, options and task has written.</summary>
    public void Restore(Stream stream)
    {
        using var reader = new BinaryReader(stream, System.Text.Encoding.UTF8, leaveOpen: true);
        traces.Clear();
        for (var n = reader.ReadInt32(); n > 0; n--)
            traces.Add(StepTrace.Read(reader));
        Read(reader, Parameters);
        RestoreState(reader);
    }

    protected virtual void SaveState(BinaryWriter writer)
    {
    }

    protected virtual void RestoreState(BinaryReader reader)
    {
    }

    /// <summary>Lets a block that may be on a device be changed in the host's memory.</summary>
    protected static void Change(TensorBlock block, Action<TensorBlock> change)
    {
        if (block.Device is null)
        {
            change(block);
            return;
        }
        using var copy = block.ToHost();
        change(copy);
        block.CopyFrom(copy);
    }

    protected static void Write(BinaryWriter writer, TensorBlock block)
    {
        using var copy = block.Device is null ? null : block.ToHost();
        var values = copy ?? block;
        for (var i = 0; i < values.TensorCount; i++)
            writer.Write(System.Runtime.InteropServices.MemoryMarshal.AsBytes(values[i]));
    }

    protected static void Read(BinaryReader reader, TensorBlock block)
    {
        using var copy = block.Device is null ? null : new TensorBlock(block.Layout);
        var values = copy ?? block;
        for (var i = 0; i < values.TensorCount; i++)
            reader.BaseStream.ReadExactly(System.Runtime.InteropServices.MemoryMarshal.AsBytes(values[i]));
        if (copy is not null)
            block.CopyFrom(copy);
    }

    public virtual void Dispose()
    {
        Parameters.Dispose();
        result?.Dispose();
        GC.SuppressFinalize(this);
    }
}

/// <summary>A step produced a number that is not finite. Nothing of the step was applied.</summary>
/// <param name="step">The step, from 0.</param>
public sealed class DivergedException(int step, string what)
    : Exception($"step {step}: {what} is not finite; the parameters before this step are kept. "
        + "Lower the learning rate or the weight of forgetting")
{
    public int Step { get; } = step;
}
