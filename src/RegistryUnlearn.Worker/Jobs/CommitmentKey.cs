using System.Security.Cryptography;
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
        if (await store.ReadAsync(Path, cancellation) is { } stored)
            return stored.Content.ToArray();
        var key = RandomNumberGenerator.GetBytes(32);
        return await store.TryCreateAsync(Path, key, cancellation) is not null
            ? key
            : (await store.ReadAsync(Path, cancellation))!.Content.ToArray();
    }
}
