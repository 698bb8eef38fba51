using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace RegistryUnlearn.Registry;

/// <summary>
/// Exclusion between threads and processes by an exclusively opened file. The kernel drops the lock when its holder ends in whatever way,
/// so there are no stale locks. Lock files are never deleted: deleting one would let two holders lock two files of the same name.
/// </summary>
sealed class FolderLock(string directory, TimeSpan timeout)
{
    const int Stripes = 64;

    bool proven;

    public async Task<IDisposable> AcquireAsync(string path, CancellationToken cancellation)
    {
        var stripe = SHA256.HashData(Encoding.UTF8.GetBytes(path))[0] % Stripes;
        var file = Path.Combine(directory, stripe.ToString("x2", CultureInfo.InvariantCulture));
        var started = Stopwatch.GetTimestamp();
        for (var milliseconds = 1; ; milliseconds = Math.Min(2 * milliseconds, 16))
        {
            if (TryOpen(file) is { } held)
                return Proven(held, file);
            if (Stopwatch.GetElapsedTime(started) > timeout)
            {
                throw new RegistryException(RegistryErrorKind.Unavailable, path,
                    $"another process has held its lock for {timeout.TotalSeconds} s. Look for a stopped process that has '{file}' open.");
            }
            await Task.Delay(milliseconds, cancellation);
        }
    }

    static FileStream? TryOpen(string file)
    {
        try
        {
            return new FileStream(file, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, bufferSize: 1);
        }
        catch (IOException e) when (FolderErrors.IsSharingViolation(e))
        {
            return null;
        }
    }

    /// <summary>A file system may ignore locks in silence; a second opening of a held lock shows it.</summary>
    FileStream Proven(FileStream held, string file)
    {
        if (Volatile.Read(ref proven))
            return held;
        using var second = TryOpen(file);
        if (second is not null)
        {
            held.Dispose();
            throw new RegistryException(RegistryErrorKind.Unavailable, file,
                "this file system does not honour file locks. Keep the registry on one that does (a local disk, or NFS version 4).");
        }
        Volatile.Write(ref proven, true);
        return held;
    }
}
