using System.Numerics.Tensors;
using RegistryUnlearn.Unlearning.Data;

namespace RegistryUnlearn.Cli.Tests.Support;

/// <summary>Numbers computed elsewhere that lie beside the repository; tests that need them are skipped where they are absent.</summary>
static class Fixture
{
    public static string Folder(string relative) => Repository.Shared("fixtures/" + relative);

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
