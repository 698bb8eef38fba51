using System.Text.Json.Serialization;

namespace RegistryUnlearn.Lineage;

/// <summary>in-toto test-result v0.1: which audit gates passed, warned and failed. The result is the worst of them.</summary>
[method: JsonConstructor]
public sealed record TestResultPredicate(
    string Result, IReadOnlyList<ResourceDescriptor> Configuration,
    IReadOnlyList<string> PassedTests, IReadOnlyList<string> WarnedTests, IReadOnlyList<string> FailedTests)
{
    public const string TypeUri = "https://in-toto.io/attestation/test-result/v0.1";

    public TestResultPredicate(IReadOnlyList<ResourceDescriptor> configuration, IReadOnlyList<string> passed, IReadOnlyList<string> warned,
        IReadOnlyList<string> failed)
        : this(failed.Count > 0 ? "FAILED" : warned.Count > 0 ? "WARNED" : "PASSED", configuration, passed, warned, failed)
    {
    }
}
