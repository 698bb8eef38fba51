using RegistryUnlearn.Onnx.Models;
using RegistryUnlearn.Onnx.Tests.Graphs;
using RegistryUnlearn.Onnx.TrainingArtifacts;

namespace RegistryUnlearn.Onnx.Tests.TrainingArtifacts;

/// <summary>
/// Gradients three ways: the official kernels of ONNX Runtime Training, their nodes lowered to standard operators, and this product's own
/// differentiation of the forward operator.
/// </summary>
public sealed class GradientOperatorTests : IDisposable
{
    readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("registry-unlearn-gradients-");

    public static TheoryData<string> Names => [.. GradientCases.All.Select(c => c.Name)];

    [Theory, MemberData(nameof(Names))]
    public void Lowered_nodes_give_our_gradients(string name)
    {
        var row = GradientCases.All.Single(c => c.Name == name);
        var lowered = ForeignGraph.Lowered(ModelFile.Wrap(row.Official(), "graph.onnx"));
        Agree(name, Run(row, row.Ours()), Run(row, lowered));
    }

    [Fact]
    public async Task Official_kernels_give_our_gradients()
    {
        TrainingEngine.Require();
        GradientCase[] rows = [.. GradientCases.All.Where(c => c.HasKernel)];
        var jobs = rows.Select((row, i) =>
        {
            var path = Path.Combine(folder.FullName, $"{i}.onnx");
            ModelFile.Write(row.Official(), path);
            return new EngineJob(
                Run: path, Feeds: row.Values().ToDictionary(v => v.Key, v => EngineTensor.Of(v.Value.Shape, v.Value.Floats)));
        });
        var results = await TrainingEngine.RunAsync(folder.FullName, [.. jobs]);
        Assert.Multiple([.. rows.Zip(results).Select(r => (Action)(() =>
        {
            Assert.True(r.Second.Error is null, $"{r.First.Name}: {r.Second.Error}");
            Agree(r.First.Name, Run(r.First, r.First.Ours()), r.Second.Outputs![0].ToDictionary(o => o.Key, o => o.Value.Floats()));
        }))]);
    }

    static Dictionary<string, float[]> Run(GradientCase row, Proto.ModelProto model)
    {
        using var evaluation = new Evaluation(model);
        return evaluation.Run(row.Values()).ToDictionary(o => o.Key, o => o.Value.Floats);
    }

    static void Agree(string name, Dictionary<string, float[]> ours, Dictionary<string, float[]> theirs)
    {
        Assert.Equal(ours.Keys.Order(), theirs.Keys.Order());
        foreach (var (gradient, values) in ours)
        {
            Assert.Equal(values.Length, theirs[gradient].Length);
            for (var i = 0; i < values.Length; i++)
                Assert.True(Math.Abs(values[i] - theirs[gradient][i]) <= 1e-5 * Math.Max(1, Math.Abs(values[i])),
                    $"{name}: {gradient}[{i}] is {theirs[gradient][i]} where our differentiation gives {values[i]}");
        }
    }

    public void Dispose() => folder.Delete(recursive: true);
}
