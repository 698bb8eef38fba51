using System.Numerics.Tensors;
using System.Runtime.CompilerServices;
using RegistryUnlearn.Unlearning.Data;

namespace RegistryUnlearn.Cli.Tests.Support;

/// <summary>Numbers computed elsewhere that lie beside the repository; tests that need them are skipped where they are absent.</summary>
static class Fixture
{
    public static string Folder(string relative, [CallerFilePath] string here = "")
    {
        var root = Path.GetDirectoryName(here);
        while (root is not null && !File.Exists(Path.Combine(root, "RegistryUnlearn.sln"))) root = Path.GetDirectoryName(root);
        var folder = Path.GetFullPath(Path.Combine(root ?? ".", "../shared/fixtures", relative));
        Assert.SkipUnless(Directory.Exists(folder), $"the fixture {relative} is not beside the repository (../shared/fixtures)");
        return folder;
    }

    /// <summary>The arrays have the same shape, and ‖actual − expected‖ ≤ tolerance · ‖expected‖.</summary>
    public static void Agree(NpyArray expected, NpyArray actual, double tolerance)
    {
        Assert.Equal(expected.Shape, actual.Shape);
        Assert.Equal(NpyElementType.Float32, actual.ElementType);
        float[] want = expected.ToSingles(), have = actual.ToSingles(), difference = new float[want.Length];
        TensorPrimitives.Subtract(have, want, difference);
        var norm = TensorPrimitives.Norm<float>(want);
        Assert.InRange(TensorPrimitives.Norm<float>(difference), 0, tolerance * (norm == 0 ? 1 : norm));
    }
}
