namespace RegistryUnlearn.Onnx.Tests.Gradients;

/// <summary>The cases of one family of rules: each with fixed and with free sizes, at operator sets 17, 18 and 21 as far as they have its
/// form; newer forms at the operator set they begin with.</summary>
sealed class RowSet(params GradientCase[] cases)
{
    static readonly int[] Opsets = [17, 18, 21];

    readonly Dictionary<string, GradientCase> byName = cases.ToDictionary(c => c.Name);

    public IReadOnlyCollection<GradientCase> Cases => byName.Values;

    public TheoryData<string, int, bool> Runs => new(
        from c in cases
        from opset in OpsetsOf(c)
        from free in !c.HasFreeSizes ? [false] : opset == OpsetsOf(c).First() ? new[] { false, true } : [true]
        select (c.Name, opset, free));

    public static IEnumerable<int> OpsetsOf(GradientCase c) =>
        c.From > Opsets[^1] ? [c.From] : Opsets.Where(o => c.From <= o && o <= c.Until);

    public void Check(string name, int opset, bool free) => GradientCheck.Run(byName[name], opset, free);
}
