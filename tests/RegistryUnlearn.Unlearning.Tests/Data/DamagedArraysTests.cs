using RegistryUnlearn.Unlearning.Data;

namespace RegistryUnlearn.Unlearning.Tests.Data;

/// <summary>Damaged .npz files are refused, or read as what they have become.</summary>
public sealed class DamagedArraysTests
{
    const int Cases = 5000;

    [Fact]
    public void Damaged_files_are_refused_or_read() => Mutation.Run(Files(), Cases, bytes =>
    {
        using var reader = new NpzReader(new MemoryStream(bytes), "damaged.npz");
        foreach (var name in reader.Names)
        {
            var array = reader.Read(name);
            _ = array.ElementType is NpyElementType.Unicode or NpyElementType.Bytes ? array.ToStrings().Length : array.Count;
        }
    }, e => e is DataException, length => (64 << 20) + 200 * length);

    static List<byte[]> Files()
    {
        var fixtures = Path.Combine(Repository.Root, "../shared/fixtures/gradients");
        return
        [
            Written(NpyArray.Of<float>("input", [4, 3], new float[12]), NpyArray.Of<long>("labels", [4], [0, 1, 2, 0])),
            Written(NpyArray.Of<byte>("pixels", [2, 8, 8], new byte[128]), NpyArray.OfStrings("ids", ["one", "two"])),
            .. Directory.Exists(fixtures)
                ? Directory.EnumerateFiles(fixtures, "*.npz", SearchOption.AllDirectories).Order().Select(File.ReadAllBytes)
                    .Where(f => f.Length < 100_000)
                : [],
        ];
    }

    static byte[] Written(params NpyArray[] arrays)
    {
        using var stream = new MemoryStream();
        using (var npz = new NpzWriter(stream))
            foreach (var array in arrays)
                npz.Add(array);
        return stream.ToArray();
    }
}
