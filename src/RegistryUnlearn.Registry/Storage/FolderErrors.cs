namespace RegistryUnlearn.Registry;

/// <summary>What the file system's refusals mean and what to do about them. Numbers are errno values, or Win32 codes as HRESULT.</summary>
static class FolderErrors
{
    const int NotPermitted = 1, CrossDevice = 18, TooManyLinks = 31, NotSupported = 95;
    const int NoSpace = 28, QuotaExceeded = 122, ReadOnly = 30;
    const int WindowsDiskFull = unchecked((int)0x80070070), WindowsHandleDiskFull = unchecked((int)0x80070027);

    /// <summary>The refusal as a <see cref="RegistryException"/>; null for an exception that is not the file system's.</summary>
    public static RegistryException? Translate(Exception exception, string path) => exception switch
    {
        RegistryException => null,
        UnauthorizedAccessException => new(RegistryErrorKind.Denied, path,
            "no permission. Give the account that runs this read and write access to the registry folder.", exception),
        IOException { HResult: ReadOnly } => new(RegistryErrorKind.Denied, path,
            "the file system is read-only. Mount it writable, or name another registry folder.", exception),
        IOException { HResult: NoSpace or QuotaExceeded or WindowsDiskFull or WindowsHandleDiskFull } => new(RegistryErrorKind.Full, path,
            "no space left. Free space or raise the quota, then run the same job again; nothing half-written is visible.", exception),
        IOException { HResult: NotPermitted or CrossDevice or TooManyLinks or NotSupported } => new(RegistryErrorKind.Denied, path,
            "the file system refused a hard link. Keep the registry on one file system that has hard links (ext4, xfs, btrfs, NTFS, " +
            "NFS).", exception),
        PathTooLongException => new(RegistryErrorKind.Invalid, path, "the path is too long for this file system. Shorten it.", exception),
        IOException => new(RegistryErrorKind.Unavailable, path,
            $"the file system refused ({exception.Message}). Check the disk, then run the same job again.", exception),
        _ => null,
    };

    /// <summary>
    /// Another holder has the file open exclusively: EWOULDBLOCK on Linux (11) and macOS (35), a sharing violation on Windows.
    /// </summary>
    public static bool IsSharingViolation(IOException exception) => exception.HResult is 11 or 35 or unchecked((int)0x80070020);
}
