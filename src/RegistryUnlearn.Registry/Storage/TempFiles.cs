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

    /// <summary>What nobody has written to for longer: killed processes left it behind.</summary>
    public IReadOnlyList<FileInfo> Abandoned(TimeSpan age)
    {
        var oldest = clock.GetUtcNow().UtcDateTime - age;
        var folder = new DirectoryInfo(directory);
        return folder.Exists ? [.. folder.EnumerateFiles().Where(f => f.LastWriteTimeUtc < oldest)] : [];
    }

    void Sweep()
    {
        foreach (var file in Abandoned(maxAge))
            file.Delete();
    }
}
