using Azure;
using Azure.Core;
using Azure.Core.Pipeline;

namespace RegistryUnlearn.Registry.Azure.Tests.Http;

/// <summary>The last part of a client's pipeline: gives another answer than the service did, or asks it not at all.</summary>
/// <param name="answer">The answer to a request; its second argument asks the service.</param>
sealed class AnswerTransport(Func<Request, Func<Task<Response>>, Task<Response>> answer) : HttpPipelineTransport
{
    readonly HttpPipelineTransport inner = HttpClientTransport.Shared;

    public override Request CreateRequest() => inner.CreateRequest();

    public override async ValueTask ProcessAsync(HttpMessage message) => message.Response = await answer(message.Request, async () =>
    {
        await inner.ProcessAsync(message);
        return message.Response;
    });

    public override void Process(HttpMessage message) => throw new NotSupportedException();
}
