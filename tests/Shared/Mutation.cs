using System.Buffers.Binary;
using System.Diagnostics;

namespace RegistryUnlearn.Testing;

/// <summary>
/// Property tests of readers: real files, damaged by flipped bytes, cuts, splices and changed lengths, end in the reader's own exception or
/// are read, and never take memory or time out of proportion to the file.
/// </summary>
static class Mutation
{
    /// <summary>Minutes that each such test runs, with a seed of its own; a few seconds with a fixed seed where it is not set.</summary>
    public const string MinutesVariable = "REGISTRY_UNLEARN_FUZZ_MINUTES";

    static readonly TimeSpan LongestCase = TimeSpan.FromSeconds(20);

    /// <summary>Reads damaged copies of the files.</summary>
    /// <param name="cases">How many where no time is set.</param>
    /// <param name="read">Reads one; returns normally, or throws the exception that is meant for bad files.</param>
    /// <param name="isRefusal">Whether an exception is that one.</param>
    /// <param name="allowance">Bytes that may be allocated for a file of the given length.</param>
    public static void Run(IReadOnlyList<byte[]> files, int cases, Action<byte[]> read, Func<Exception, bool> isRefusal,
        Func<long, long> allowance)
    {
        var minutes = double.TryParse(Environment.GetEnvironmentVariable(MinutesVariable), out var set) ? set : 0;
        var seed = minutes > 0 ? Environment.TickCount : 1;
        var clock = Stopwatch.StartNew();
        int refused = 0, done = 0;
        for (; minutes > 0 ? clock.Elapsed.TotalMinutes < minutes : done < cases; done++)
        {
            var random = new Random(unchecked(seed + done));
            var file = Mutated(files, random);
            var before = GC.GetAllocatedBytesForCurrentThread();
            var start = clock.Elapsed;
            try
            {
                read(file);
            }
            catch (Exception e) when (isRefusal(e))
            {
                refused++;
            }
            catch (Exception e)
            {
                Assert.Fail($"case {seed + done}: {e}");
            }
            var allocated = GC.GetAllocatedBytesForCurrentThread() - before;
            Assert.True(allocated <= allowance(file.Length), $"case {seed + done}: {allocated} bytes for a file of {file.Length}");
            Assert.True(clock.Elapsed - start < LongestCase, $"case {seed + done} took {clock.Elapsed - start}");
        }
        TestContext.Current.TestOutputHelper?.WriteLine($"{done} cases from seed {seed}, {refused} refused");
        // Damage that nothing notices, or files that are refused as they are, would test nothing.
        Assert.InRange(refused, done / 20, done - 1);
    }

    static byte[] Mutated(IReadOnlyList<byte[]> files, Random random)
    {
        var bytes = files[random.Next(files.Count)].ToList();
        for (var times = random.Next(1, 4); times > 0 && bytes.Count > 0; times--)
            Damage(bytes, files, random);
        return [.. bytes];
    }

    static void Damage(List<byte> bytes, IReadOnlyList<byte[]> files, Random random)
    {
        var at = Place(bytes.Count, random);
        switch (random.Next(7))
        {
            case 0:
                for (var i = random.Next(1, 9); i > 0; i--) bytes[Place(bytes.Count, random)] ^= (byte)(1 << random.Next(8));
                break;
            case 1:
                bytes.RemoveRange(at, bytes.Count - at);
                break;
            case 2:
                bytes.RemoveRange(at, Math.Min(random.Next(1, 64), bytes.Count - at));
                break;
            case 3:
                var other = files[random.Next(files.Count)];
                var from = Place(other.Length, random);
                bytes.InsertRange(at, other[from..Math.Min(other.Length, from + random.Next(1, 512))]);
                break;
            case 4:
                // A length or count as a variable-length number, near the limits of 32 and 64 bits.
                byte[][] numbers = [[0], [0x7F], [0xFF, 0xFF, 0xFF, 0xFF, 0x07], [0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F],
                    [0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 1]];
                bytes.RemoveAt(at);
                bytes.InsertRange(at, numbers[random.Next(numbers.Length)]);
                break;
            case 5:
                // A length as four bytes.
                var length = new byte[4];
                BinaryPrimitives.WriteUInt32LittleEndian(length, random.Next(4) switch
                {
                    0 => uint.MaxValue,
                    1 => int.MaxValue,
                    2 => 0,
                    _ => (uint)random.Next(),
                });
                for (var i = 0; i < 4 && at + i < bytes.Count; i++) bytes[at + i] = length[i];
                break;
            default:
                bytes[at] = (byte)random.Next(256);
                break;
        }
    }

    /// <summary>Any place, but structure lies at the ends more than in the middle.</summary>
    static int Place(int length, Random random) => random.Next(3) switch
    {
        0 => random.Next(Math.Min(length, 400)),
        1 => length - 1 - random.Next(Math.Min(length, 400)),
        _ => random.Next(length),
    };
}
