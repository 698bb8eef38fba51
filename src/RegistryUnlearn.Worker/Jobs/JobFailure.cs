using RegistryUnlearn.Auditing;
using RegistryUnlearn.Onnx.Models;
using RegistryUnlearn.Registry;
using RegistryUnlearn.Training.Devices;
using RegistryUnlearn.Unlearning.Data;
using RegistryUnlearn.Unlearning.Methods;

namespace RegistryUnlearn.Worker.Jobs;

/// <summary>What an exception says about a job.</summary>
static class JobFailure
{
    /// <summary>The machine-readable reason.</summary>
    public static string Reason(Exception e) => e switch
    {
        GateFailedException => "gate-failed",
        DivergedException => "diverged",
        OnnxModelException => "model",
        DataException or AuditInputException => "data",
        DeviceException => "device",
        InputException => "request",
        RegistryException { Kind: var kind } => "registry-" + kind.ToString().ToLowerInvariant(),
        _ => "defect",
    };

    public static JobError Describe(Exception e) => new(Reason(e), e.Message);

    /// <summary>
    /// Whether the same job would fail again wherever and whenever it ran. The rest says nothing about the job: a store that does not
    /// answer, a full disk, a machine without memory, a defect that may depend on any of them.
    /// </summary>
    public static bool IsTerminal(Exception e) => e switch
    {
        RegistryException { Kind: RegistryErrorKind.Full or RegistryErrorKind.Denied or RegistryErrorKind.Unavailable } => false,
        LocalCopyException => false,
        _ => Reason(e) is not ("defect" or "device"),
    };
}
