using RegistryUnlearn.Auditing;
using RegistryUnlearn.Lineage;
using RegistryUnlearn.Onnx.Models;
using RegistryUnlearn.Registry;
using RegistryUnlearn.Training.Devices;
using RegistryUnlearn.Unlearning.Data;
using RegistryUnlearn.Unlearning.Methods;
using RegistryUnlearn.Worker;
using RegistryUnlearn.Worker.Jobs;

namespace RegistryUnlearn.Cli;

/// <summary>What the command returns to the shell.</summary>
public static class ExitCodes
{
    public const int Ok = 0;

    /// <summary>A defect of this program.</summary>
    public const int Defect = 1;

    /// <summary>Something given cannot be used: arguments, devices, files, models, data, requests, or a full or read-only disk.</summary>
    public const int BadInput = 2;

    /// <summary>The audit's gates did not pass.</summary>
    public const int FailedGate = 3;

    /// <summary>A verification failed: something was changed, is missing, or is not signed by the key given.</summary>
    public const int FailedVerification = 4;

    /// <summary>The job was cancelled by <c>jobs cancel</c>, or another worker has taken it over.</summary>
    public const int JobCancelled = 5;

    /// <summary>Interrupted, as shells count it: 128 + SIGINT.</summary>
    public const int Cancelled = 130;

    /// <summary>The first row whose type fits decides; what fits none is a defect.</summary>
    static readonly (Type Exception, int Code)[] Table =
    [
        (typeof(OperationCanceledException), Cancelled),
        (typeof(JobCancelledException), JobCancelled),
        (typeof(JobTakenOverException), JobCancelled),
        (typeof(InputException), BadInput),
        (typeof(OnnxModelException), BadInput),
        (typeof(DeviceException), BadInput),
        (typeof(DataException), BadInput),
        (typeof(DivergedException), BadInput),
        (typeof(AuditInputException), BadInput),
        (typeof(RegistryException), BadInput),
        (typeof(LineageException), BadInput),
        (typeof(FormatException), BadInput),
        (typeof(IOException), BadInput),
        (typeof(UnauthorizedAccessException), BadInput),
    ];

    public static int Of(Exception exception)
    {
        foreach (var (type, code) in Table)
            if (type.IsInstanceOfType(exception)) return code;
        return Defect;
    }
}
