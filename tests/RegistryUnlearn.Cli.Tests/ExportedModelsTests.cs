using System.Numerics.Tensors;
using RegistryUnlearn.Cli.Tests.Support;
using RegistryUnlearn.Unlearning.Data;

namespace RegistryUnlearn.Cli.Tests;

/// <summary>
/// Models as PyTorch exports them, one for each family of architecture, against PyTorch's derivatives: see Fixtures/README.md.
/// </summary>
public sealed class ExportedModelsTests
{
    /// <summary>
    /// Of the largest norm among a model's gradients (or products): a tensor whose true derivative is zero, as that of a bias before a
    /// normalisation, holds nothing but rounding.
    /// </summary>
    const double Floor = 1e-3;

    static readonly string Folder = Path.Combine(Repository.Root, "tests/RegistryUnlearn.Cli.Tests/Fixtures");

    public static TheoryData<string> Models =>
        [.. Directory.EnumerateDirectories(Folder).Select(f => Path.GetFileName(f)!).Order(StringComparer.Ordinal)];

    [Theory]
    [MemberData(nameof(Models))]
    public async Task Are_differentiated_as_PyTorch_does(string name)
    {
        using var work = new Workspace();
        var outcome = await work.RunAsync(
            $"inspect gradients {Folder}/{name}/model.onnx --batch {Folder}/{name}/reference.npz --out {{out.npz}}");
        Assert.Equal("", outcome.Error);
        Assert.Equal(ExitCodes.Ok, outcome.Code);
        var expected = NpzReader.ReadAll(Path.Combine(Folder, name, "reference.npz"));
        var actual = work.Read("out.npz");
        string[] wanted = [.. expected.Keys.Where(k => k is "loss" or "logits" || k.StartsWith("grad/") || k.StartsWith("hv/"))];
        Assert.Equal(wanted.Order(StringComparer.Ordinal), actual.Keys.Order(StringComparer.Ordinal));
        foreach (var group in wanted.GroupBy(k => k.Split('/')[0]))
        {
            var floor = Floor * group.Max(k => TensorPrimitives.Norm<float>(expected[k].ToSingles()));
            foreach (var key in group) Fixture.Agree(expected[key], actual[key], 1e-4, floor);
        }
    }
}
