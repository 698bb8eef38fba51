using System.Globalization;

namespace RegistryUnlearn.Registry;

/// <summary>
/// Where objects are written before they get their name. A name is used once: it is the process, its start and a counter.
/// </summary>
sealed class TempFiles(string directory, TimeProvider clock, TimeSpan maxAge)
{
    static readonly string ProcessTag = string.Create(CultureInfo.InvariantCulture,
        $"{Environment.ProcessId:x}-{Environment.TickCount64:x}");

    static long counter;

    int swept;

    /// <summary>Writes a file and makes its bytes durable. When the writer throws, the file is gone.</summary>
    public async Task<string> WriteAsync(Func<Stream, Task> write)
    {
        if (Interlocked.Exchange(ref swept, 1) is 0)
            Sweep();
        var (path, stream) = Create();
        try
        {
            await using (stream)
            {
                await write(stream);
                stream.Flush(flushToDisk: true);
            }
            return path;
        }
        catch
        {
            File.Delete(path);
            throw;
        }
    }

    (string Path, FileStream Stream) Create()
    {
        while (true)
        {
            var path = Path.Combine(directory, string.Create(CultureInfo.InvariantCulture,
                $"{ProcessTag}-{Interlocked.Increment(ref counter):x}"));
            try
            {
                return (path, new FileStream(path, FileMode.CreateNew, FileAccess.Write, FileShare.None, 1 << 17,
                    FileOptions.Asynchronous));
            }
            catch (IOException) when (File.Exists(path))
            {
                // Another machine on the same mount happens to share the tag: the next number is free.
            }
        }
    }

    /// <summary>Removes what killed processes left behind.</summary>
    void Sweep()
    {
        var oldest = clock.GetUtcNow().UtcDateTime - maxAge;
        foreach (var file in Directory.EnumerateFiles(directory))
        {
            if (File.GetLastWriteTimeUtc(file) < oldest)
                File.Delete(file);
        }
    }
}
