using Azure.Core;
using Azure.Core.Pipeline;

namespace RegistryUnlearn.Registry.Azure.Tests.Http;

/// <summary>What can happen to one attempt of a request.</summary>
public enum HttpFault
{
    /// <summary>The request never leaves.</summary>
    ErrorBeforeSend,

    /// <summary>The service does it, but its answer does not arrive.</summary>
    LostAcknowledgement,

    /// <summary>The answer takes its time.</summary>
    Delay,

    /// <summary>The request takes its time on the way to the service.</summary>
    LateRequest,

    /// <summary>The connection breaks in the middle of the answer.</summary>
    TruncatedBody,

    /// <summary>The service is busy and says when to come back.</summary>
    Throttled,
}

/// <summary>An attempt of a request.</summary>
/// <param name="Number">Number of the request, from 1.</param>
/// <param name="Attempt">0 for the first one.</param>
/// <param name="Request">What is asked.</param>
public readonly record struct HttpAttempt(int Number, int Attempt, Request Request)
{
    public bool IsWrite => Request.Method == RequestMethod.Put || Request.Method == RequestMethod.Delete;
}

/// <summary>
/// The last part of a client's pipeline, below the one that repeats requests: breaks attempts between the client and the service.
/// </summary>
/// <param name="choose">What happens to an attempt; null for nothing.</param>
public sealed class FaultTransport(Func<HttpAttempt, HttpFault?> choose) : HttpPipelineTransport
{
    readonly HttpPipelineTransport inner = HttpClientTransport.Shared;
    int requests;
    int injected;

    /// <summary>Requests so far; repetitions do not count.</summary>
    public int Requests => requests;

    /// <summary>Faults so far.</summary>
    public int Injected => injected;

    /// <summary>How long a request or an answer is delayed.</summary>
    public TimeSpan Delay { get; init; } = TimeSpan.FromMilliseconds(20);

    /// <summary>Until when a request or an answer is delayed. <value>Until <see cref="Delay"/> is over</value></summary>
    public Task? Until { get; init; }

    /// <summary>Seconds after which a busy service wants to be asked again.</summary>
    public int RetryAfter { get; init; }

    public override Request CreateRequest() => inner.CreateRequest();

    public override async ValueTask ProcessAsync(HttpMessage message)
    {
        var fault = choose(new(NumberOf(message), message.ProcessingContext.RetryNumber, message.Request));
        if (fault is not null)
            Interlocked.Increment(ref injected);
        switch (fault)
        {
            case HttpFault.ErrorBeforeSend:
                throw new IOException("The connection was refused.");
            case HttpFault.Throttled:
                message.Response = new StubResponse(503, ("x-ms-error-code", "ServerBusy"), ("Retry-After", $"{RetryAfter}"));
                return;
            case HttpFault.LateRequest:
                await WaitAsync(message.CancellationToken);
                break;
        }
        await inner.ProcessAsync(message);
        switch (fault)
        {
            case HttpFault.LostAcknowledgement:
                message.Response.Dispose();
                throw new IOException("The connection was reset.");
            case HttpFault.Delay:
                await WaitAsync(message.CancellationToken);
                break;
            case HttpFault.TruncatedBody when message.Response.ContentStream is { } body:
                message.Response.ContentStream = new TruncatedStream(body, message.Response.Headers.ContentLength / 2 ?? 10);
                break;
        }
    }

    public override void Process(HttpMessage message) => throw new NotSupportedException();

    /// <summary>The repetitions of a request have its number, whatever was asked in between.</summary>
    int NumberOf(HttpMessage message)
    {
        if (message.TryGetProperty(typeof(FaultTransport), out var known))
            return (int)known!;
        var number = Interlocked.Increment(ref requests);
        message.SetProperty(typeof(FaultTransport), number);
        return number;
    }

    Task WaitAsync(CancellationToken cancellation) => Until?.WaitAsync(cancellation) ?? Task.Delay(Delay, cancellation);

    /// <summary>Breaks after some bytes.</summary>
    sealed class TruncatedStream(Stream inner, long left) : ForwardStream
    {
        public override int Read(byte[] buffer, int offset, int count)
        {
            var read = inner.Read(buffer, offset, Allowed(count));
            left -= read;
            return read;
        }

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            var read = await inner.ReadAsync(buffer[..Allowed(buffer.Length)], cancellationToken);
            left -= read;
            return read;
        }

        /// <summary>A broken connection is given up by whoever reads from it.</summary>
        int Allowed(int count)
        {
            if (left > 0)
                return (int)Math.Min(left, count);
            inner.Dispose();
            throw new IOException("The response ended prematurely.");
        }

        protected override void Dispose(bool disposing)
        {
            if (disposing)
                inner.Dispose();
            base.Dispose(disposing);
        }
    }
}
