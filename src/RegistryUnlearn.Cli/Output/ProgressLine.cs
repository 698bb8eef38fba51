namespace RegistryUnlearn.Cli.Output;

/// <summary>How far a command is, on standard error: one line that is rewritten on a terminal, now and then a line elsewhere.</summary>
public sealed class ProgressLine(Streams streams, TimeProvider clock) : IDisposable
{
    static readonly TimeSpan OnTerminal = TimeSpan.FromMilliseconds(200);
    static readonly TimeSpan InLog = TimeSpan.FromSeconds(10);

    long? last;
    bool open;

    /// <summary>Shows a line unless the one before is too young.</summary>
    /// <param name="isLast">Shown in any case.</param>
    public void Show(Func<string> text, bool isLast = false)
    {
        if (!isLast && last is { } shown && clock.GetElapsedTime(shown) < (streams.ErrorIsTerminal ? OnTerminal : InLog)) return;
        last = clock.GetTimestamp();
        if (streams.ErrorIsTerminal)
            streams.Error.Write($"\r\x1b[K{Printable.Of(text())}");
        else
            streams.Error.WriteLine(Printable.Of(text()));
        open = streams.ErrorIsTerminal;
    }

    /// <summary>Ends the line that was being rewritten.</summary>
    public void Dispose()
    {
        if (open) streams.Error.WriteLine();
        open = false;
    }
}
