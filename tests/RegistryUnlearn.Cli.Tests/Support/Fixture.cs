using System.Numerics.Tensors;
using RegistryUnlearn.Unlearning.Data;

namespace RegistryUnlearn.Cli.Tests.Support;

/// <summary>Numbers computed elsewhere that lie beside the repository; tests that need them are skipped where they are absent.</summary>
static class Fixture
{
    public static string Folder(string relative) => Repository.Shared("fixtures/" + relative);

    /// <summary>The arrays have the same shape, and ‖actual − expected‖ ≤ tolerance · max(‖expected‖, floor).</summary>
    public static void Agree(NpyArray expected, NpyArray actual, double tolerance, double floor = 0)
    {
        Assert.True(expected.Shape.SequenceEqual(actual.Shape), $"'{actual.Name}' has shape [{string.Join(", ", actual.Shape)}]");
        Assert.Equal(NpyElementType.Float32, actual.ElementType);
        float[] want = expected.ToSingles(), have = actual.ToSingles(), difference = new float[want.Length];
        TensorPrimitives.Subtract(have, want, difference);
        var norm = Math.Max(TensorPrimitives.Norm<float>(want), floor);
        var distance = TensorPrimitives.Norm<float>(difference) / (norm == 0 ? 1 : norm);
        Assert.True(distance <= tolerance, $"'{actual.Name}' is {distance:e1} away, relative to its norm of {norm:g3}");
    }
}
