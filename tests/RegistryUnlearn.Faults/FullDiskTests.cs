using RegistryUnlearn.Conformance;
using RegistryUnlearn.Registry;

namespace RegistryUnlearn.Faults;

/// <summary>Disks without room or permission: a small file system of the test's own, where the account may mount one.</summary>
public sealed class FullDiskTests
{
    [Fact]
    public async Task However_little_room_there_is_nothing_half_written_is_served()
    {
        using var disk = Disk.Mount();
        await FillAsync(disk.Registry);
        var refusals = 0;
        for (var room = 0; ; room += 24 << 10)
        {
            disk.LeaveFree(room);
            var (code, _, error) = await RunAsync(disk);
            if (code == 0)
                break;
            Assert.Equal(2, code);
            Assert.Contains(
                "no space left. Free space or raise the quota, then run the same job again; nothing half-written is visible.", error);
            Assert.False(File.Exists(Path.Combine(disk.Registry, "tiny/2/manifest.json")));
            refusals++;
        }
        Assert.InRange(refusals, 2, 40);
        var versions = Directory.EnumerateDirectories(Path.Combine(disk.Registry, "tiny")).Select(d => Path.GetFileName(d));
        Assert.Equal(["1", "2"], versions.Order());
    }

    [Fact]
    public async Task A_read_only_registry_is_refused_before_any_work()
    {
        using var disk = Disk.Mount();
        await FillAsync(disk.Registry);
        disk.MakeReadOnly();
        var (code, _, error) = await RunAsync(disk);
        Assert.Equal(2, code);
        Assert.Contains("the file system is read-only. Mount it writable, or name another registry folder.", error);
        Assert.DoesNotContain("unlearn\n", error);
    }

    [Fact]
    public async Task Local_copies_without_room_are_named()
    {
        using var disk = Disk.Mount();
        using var registry = new TempFolder();
        await FillAsync(registry.Path);
        disk.LeaveFree(0);
        var request = registry.Write("request.json", TinyRegistry.Request());
        var (code, _, error) = await RealProcess.RunAsync(disk.Registry, "run", request, "--registry", registry.Path);
        Assert.Equal(2, code);
        Assert.Contains(disk.Registry, error);
        Assert.Contains("no space left. Free space or raise the quota, then run the same job again", error);
        Assert.False(Directory.Exists(Path.Combine(registry.Path, "tiny/2")));
    }

    static Task FillAsync(string registry) => TinyRegistry.FillAsync(new FolderStore(registry));

    static async Task<(int Code, string Output, string Error)> RunAsync(Disk disk)
    {
        using var folder = new TempFolder();
        return await RealProcess.RunAsync(
            folder.Path, "run", folder.Write("request.json", TinyRegistry.Request()),
            "--registry", disk.Registry, "--checkpoint-interval", "0");
    }

    /// <summary>One megabyte of memory as a file system.</summary>
    sealed class Disk : IDisposable
    {
        readonly TempFolder folder = new();

        public string Registry => folder.Path;

        string Filler => Path.Combine(Registry, "filler");

        public static Disk Mount()
        {
            var disk = new Disk();
            var mounted = ExternalCommand.Run("mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", disk.Registry).Code == 0;
            if (!mounted)
                disk.folder.Dispose();
            Assert.SkipUnless(mounted, "this account may not mount a file system");
            return disk;
        }

        public void LeaveFree(int bytes)
        {
            File.Delete(Filler);
            var free = new DriveInfo(Registry).AvailableFreeSpace;
            if (free > bytes)
                File.WriteAllBytes(Filler, new byte[free - bytes]);
        }

        public void MakeReadOnly() => Assert.Equal(0, ExternalCommand.Run("mount", "-o", "remount,ro", Registry).Code);

        public void Dispose()
        {
            ExternalCommand.Run("umount", Registry);
            folder.Dispose();
        }
    }
}
