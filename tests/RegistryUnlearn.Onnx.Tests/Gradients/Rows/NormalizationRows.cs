namespace RegistryUnlearn.Onnx.Tests.Gradients.Rows;

public sealed class NormalizationRows
{
    internal static readonly RowSet Rows = new(
    [
        new("LayerNormalization", "N,5 | 5 | 5"), new("LayerNormalization", "N,5 | 5", "epsilon=0.1"),
        new("LayerNormalization", "N,2,3 | 2,3 | 3", "axis=1"), new("LayerNormalization", "N,H,4 | 4 | 4"),
        new("LayerNormalization", "N,4 | 4 | 4") { Outputs = 3 },
        new("SimplifiedLayerNormalization", "N,5 | 5", "epsilon=0.1"),
        new("RMSNormalization", "N,5 | 5") { From = 23 }, new("RMSNormalization", "N,2,3 | 2,3", "axis=1 epsilon=0.1") { From = 23 },
        new("InstanceNormalization", "N,2,5 | 2 | 2"), new("InstanceNormalization", "N,3,H,W | 3 | 3", "epsilon=0.1"),
        new("InstanceNormalization", "N,2,2,3,2 | 2 | 2"),
        new("GroupNormalization", "N,4,5 | 2 | 2", "num_groups=2") { From = 18, Until = 20 },
        new("GroupNormalization", "N,4,H,W | 2 | 2", "num_groups=2 epsilon=0.1") { From = 18, Until = 20 },
        new("GroupNormalization", "N,4,5 | 4 | 4", "num_groups=2") { From = 21 },
        new("GroupNormalization", "N,6,H,W | 6 | 6", "num_groups=3 epsilon=0.1") { From = 21 },
        new("MeanVarianceNormalization", "N,2,3,4"), new("MeanVarianceNormalization", "N,5,4", "axes=[-1,1]"),
        .. from size in new[] { 1, 3, 5 } select new GradientCase("LRN", "N,4,3,2", $"size={size} alpha=0.5 beta=0.5 bias=2.0"),
        new("LRN", "N,6,H,W", "size=3 alpha=0.9"),
    ]);

    public static TheoryData<string, int, bool> Runs => Rows.Runs;

    [Theory, MemberData(nameof(Runs))]
    public void Gradient_agrees_with_difference_quotients(string row, int opset, bool free) => Rows.Check(row, opset, free);
}
