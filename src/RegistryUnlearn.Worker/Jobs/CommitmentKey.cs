using System.Security.Cryptography;
using RegistryUnlearn.Lineage;
using RegistryUnlearn.Registry;

namespace RegistryUnlearn.Worker.Jobs;

/// <summary>
/// The registry's own key for commitments to forget sets: made once, kept under the registry's private prefix. Whoever can read it can
/// test guesses about who was forgotten; a key of the owner's keeps that to the owner.
/// </summary>
static class CommitmentKey
{
    const string Path = ".registry-unlearn/keys/commitment.key";

    public static async Task<byte[]> OfAsync(IObjectStore store, CancellationToken cancellation)
    {
        if (await store.ReadAsync(Path, cancellation) is null)
            await store.TryCreateAsync(Path, RandomNumberGenerator.GetBytes(ForgetCommitment.MinKeyBytes), cancellation);
        // Read back, since a twin may have been first.
        var stored = await store.ReadAsync(Path, cancellation);
        return stored is { Content.Length: >= ForgetCommitment.MinKeyBytes }
            ? stored.Content.ToArray()
            : throw new RegistryException(RegistryErrorKind.Corrupt, Path,
                $"the key is missing or has less than {ForgetCommitment.MinKeyBytes} bytes. Restore it, or remove it for a new one.");
    }
}
