using System.Runtime.InteropServices;

namespace RegistryUnlearn.Registry;

/// <summary>
/// The three calls the base library lacks: an atomic "create from this finished file", and making a directory entry durable.
/// </summary>
static partial class FileSystemCalls
{
    const int NoSuchEntry = 2;
    const int Exists = 17;
    const int InvalidArgument = 22;
    const int WindowsExists = 183;
    const int WindowsNoSuchFile = 2;
    const int WindowsNoSuchPath = 3;

    public enum LinkResult
    {
        Linked,
        TargetExists,
        FolderMissing,
    }

    /// <summary>Gives a finished file a second name. Exactly one of several concurrent callers with one target succeeds.</summary>
    /// <exception cref="IOException">Anything but the three results; HResult is the system's error number.</exception>
    public static LinkResult HardLink(string existing, string target)
    {
        if (OperatingSystem.IsWindows())
        {
            if (CreateHardLink(target, existing, 0))
                return LinkResult.Linked;
            var code = Marshal.GetLastPInvokeError();
            return code switch
            {
                WindowsExists => LinkResult.TargetExists,
                WindowsNoSuchFile or WindowsNoSuchPath => LinkResult.FolderMissing,
                _ => throw new IOException($"Cannot link {target}: {Marshal.GetPInvokeErrorMessage(code)}",
                    unchecked((int)0x80070000) | code),
            };
        }
        if (Link(existing, target) is 0)
            return LinkResult.Linked;
        var error = Marshal.GetLastPInvokeError();
        return error switch
        {
            Exists => LinkResult.TargetExists,
            NoSuchEntry => LinkResult.FolderMissing,
            _ => throw new IOException($"Cannot link {target}: {Marshal.GetPInvokeErrorMessage(error)}", error),
        };
    }

    /// <summary>
    /// Makes the names in a directory durable. Windows journals them itself; some file systems have nothing to flush (EINVAL).
    /// </summary>
    public static void FlushDirectory(string directory)
    {
        if (OperatingSystem.IsWindows())
            return;
        var descriptor = Open(directory, 0);
        if (descriptor < 0)
        {
            // A directory that another process has removed meanwhile has no names to keep.
            var openError = Marshal.GetLastPInvokeError();
            if (openError is NoSuchEntry)
                return;
            throw new IOException($"Cannot open {directory}: {Marshal.GetPInvokeErrorMessage(openError)}", openError);
        }
        var flushed = Flush(descriptor);
        var error = Marshal.GetLastPInvokeError();
        _ = Close(descriptor);
        if (flushed is not 0 && error is not InvalidArgument)
            throw new IOException($"Cannot flush {directory}: {Marshal.GetPInvokeErrorMessage(error)}", error);
    }

    [LibraryImport("libc", EntryPoint = "link", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Link(string existing, string target);

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "fsync", SetLastError = true)]
    private static partial int Flush(int descriptor);

    [LibraryImport("libc", EntryPoint = "close", SetLastError = true)]
    private static partial int Close(int descriptor);

    [LibraryImport("kernel32", EntryPoint = "CreateHardLinkW", SetLastError = true, StringMarshalling = StringMarshalling.Utf16)]
    [return: MarshalAs(UnmanagedType.Bool)]
    private static partial bool CreateHardLink(string target, string existing, nint securityAttributes);
}
