namespace RegistryUnlearn.Lineage.Tests;

public sealed class LineageVerifierTests
{
    const string Abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    const string Empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    static readonly Statement[] Statements =
    [
        Statement.Of([ResourceDescriptor.File("model.onnx", Abc), ResourceDescriptor.File("reports/empty.txt", Empty)],
            new TestResultPredicate([], ["a"], [], [])),
    ];

    [Fact]
    public void Files_that_agree_give_no_findings() => Assert.Empty(LineageVerifier.Verify(Statements,
        new Dictionary<string, string> { ["model.onnx"] = Abc, ["reports/empty.txt"] = Empty }));

    [Fact]
    public void Every_disagreement_is_found_once()
    {
        var files = new Dictionary<string, string> { ["model.onnx"] = Empty, ["smuggled.bin"] = Abc };
        var findings = LineageVerifier.Verify([.. Statements, .. Statements], files);
        Assert.Equal(
            [(LineageFault.Changed, "model.onnx"), (LineageFault.Missing, "reports/empty.txt"), (LineageFault.NotCovered, "smuggled.bin")],
            findings.Select(f => (f.Fault, f.File)));
    }

    [Fact]
    public void Without_statements_nothing_is_covered() =>
        Assert.Equal(LineageFault.NotCovered, Assert.Single(LineageVerifier.Verify([], new Dictionary<string, string>
        {
            ["model.onnx"] = Abc,
        })).Fault);
}
