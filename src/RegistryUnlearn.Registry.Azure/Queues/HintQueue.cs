using Azure;
using Azure.Identity;
using Azure.Storage.Queues;
using Azure.Storage.Queues.Models;

namespace RegistryUnlearn.Registry.Azure;

/// <summary>A message that this worker holds for a while.</summary>
/// <param name="Receipt">Changes with every renewal.</param>
/// <param name="Deliveries">How often it was handed out, this time included.</param>
public sealed record HeldMessage(string Id, string Receipt, ReadOnlyMemory<byte> Body, long Deliveries);

/// <summary>
/// A Storage Queue whose messages hint at jobs. Messages that cannot be used go to a second queue, for a person to look at. Refusals are
/// <see cref="RegistryException"/>s.
/// </summary>
public sealed class HintQueue(QueueClient queue, QueueClient poison)
{
    /// <summary>Most messages of one reception.</summary>
    public const int MaxMessages = 32;

    public string Name => queue.Name;

    /// <param name="hold">How long nobody else gets them, unless renewed.</param>
    public Task<IReadOnlyList<HeldMessage>> ReceiveAsync(int count, TimeSpan hold, CancellationToken cancellation) =>
        Guard<IReadOnlyList<HeldMessage>>(async () =>
        {
            var received = await queue.ReceiveMessagesAsync(Math.Min(count, MaxMessages), hold, cancellation);
            return [.. received.Value.Select(m => new HeldMessage(m.MessageId, m.PopReceipt, m.Body.ToMemory(), m.DequeueCount))];
        }, cancellation);

    /// <summary>Holds a message on, or hands it back after a while; null when another worker has it meanwhile.</summary>
    public Task<HeldMessage?> HoldAsync(HeldMessage message, TimeSpan hold, CancellationToken cancellation) => Guard(async () =>
    {
        try
        {
            var update = await queue.UpdateMessageAsync(
                message.Id, message.Receipt, new BinaryData(message.Body), hold, cancellation);
            return message with { Receipt = update.Value.PopReceipt };
        }
        catch (RequestFailedException e) when (IsGone(e))
        {
            return null;
        }
    }, cancellation);

    /// <summary>Harmless when another worker has the message meanwhile: it will see that nothing is left to do.</summary>
    public Task DeleteAsync(HeldMessage message, CancellationToken cancellation) => Guard<object?>(async () =>
    {
        try
        {
            await queue.DeleteMessageAsync(message.Id, message.Receipt, cancellation);
        }
        catch (RequestFailedException e) when (IsGone(e))
        {
            // Handed out again, or deleted by a request whose answer was lost.
        }
        return null;
    }, cancellation);

    /// <summary>
    /// Moves a message to the second queue, which is created if it is not there. It may end up there twice, but never nowhere.
    /// </summary>
    public Task PoisonAsync(HeldMessage message, CancellationToken cancellation) => Guard<object?>(async () =>
    {
        await poison.CreateIfNotExistsAsync(cancellationToken: cancellation);
        await poison.SendMessageAsync(new BinaryData(message.Body), cancellationToken: cancellation);
        await DeleteAsync(message, cancellation);
        return null;
    }, cancellation);

    /// <summary>Hints at a job.</summary>
    public Task SendAsync(JobId job, CancellationToken cancellation) => Guard<object?>(async () =>
    {
        await queue.SendMessageAsync(job.ToString(), cancellation);
        return null;
    }, cancellation);

    static bool IsGone(RequestFailedException e) =>
        e.ErrorCode == QueueErrorCode.MessageNotFound || e.ErrorCode == QueueErrorCode.PopReceiptMismatch;

    async Task<T> Guard<T>(Func<Task<T>> operation, CancellationToken cancellation)
    {
        try
        {
            return await operation();
        }
        catch (RequestFailedException e) when (e.Status is 401 or 403)
        {
            throw new RegistryException(RegistryErrorKind.Denied, queue.Name,
                $"the service refused access ({e.ErrorCode}). Give the identity the role Storage Queue Data Contributor on the queue.", e);
        }
        catch (RequestFailedException e) when (e.Status is 404)
        {
            throw new RegistryException(RegistryErrorKind.NotFound, queue.Name,
                $"there is no queue '{queue.Name}' in the account '{queue.AccountName}'. Create it, or correct the address.", e);
        }
        catch (AuthenticationFailedException e)
        {
            throw new RegistryException(RegistryErrorKind.Denied, queue.Name,
                $"there is no credential. Sign in, or name another credential in {AzureCredentials.Variable}.", e);
        }
        catch (Exception e) when (e is RequestFailedException or AggregateException or IOException or HttpRequestException
            || (e is OperationCanceledException && !cancellation.IsCancellationRequested))
        {
            throw new RegistryException(RegistryErrorKind.Unavailable, queue.Name,
                $"the queue service at {queue.Uri.Authority} does not answer as it should ({e.Message.Split('\n')[0].TrimEnd('\r', '.')}). "
                + "Check the address and the network.", e);
        }
    }
}
