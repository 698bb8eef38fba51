using RegistryUnlearn.Conformance;

namespace RegistryUnlearn.Registry.Azure.Tests.Storage;

/// <summary>Stops, or breaks, at a position until it is let on. Reads no further than there at once.</summary>
sealed class GatedStream(byte[] content, int gate, bool breaks = false) : MemoryStream(content, writable: false)
{
    readonly TaskCompletionSource reached = new(TaskCreationOptions.RunContinuationsAsynchronously);
    readonly TaskCompletionSource opened = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public Task Reached => reached.Task;

    public void Open() => opened.SetResult();

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (Position == gate)
        {
            reached.TrySetResult();
            if (breaks)
                throw new KilledException();
            await opened.Task.WaitAsync(cancellationToken);
        }
        var count = Position < gate ? (int)Math.Min(buffer.Length, gate - Position) : buffer.Length;
        return await base.ReadAsync(buffer[..count], cancellationToken);
    }
}

/// <summary>Bytes that depend on their position, without a buffer behind them.</summary>
sealed class CountingStream(long length) : ForwardStream
{
    long position;

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        var count = (int)Math.Min(buffer.Length, length - position);
        for (var i = 0; i < count; i++)
            buffer.Span[i] = (byte)((position + i) * 2654435761 >> 24);
        position += count;
        return ValueTask.FromResult(count);
    }

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();
}
