using System.Globalization;

namespace RegistryUnlearn.Faults;

/// <summary>How much the long tests do; null for their short form.</summary>
static class Extent
{
    /// <summary>Runs in which something is broken, from the variable <c>REGISTRY_UNLEARN_FAULT_RUNS</c>.</summary>
    public static int? FaultRuns => Read("REGISTRY_UNLEARN_FAULT_RUNS");

    /// <summary>Jobs over several workers, from the variable <c>REGISTRY_UNLEARN_SOAK_JOBS</c>.</summary>
    public static int? SoakJobs => Read("REGISTRY_UNLEARN_SOAK_JOBS");

    static int? Read(string variable) =>
        int.TryParse(Environment.GetEnvironmentVariable(variable), CultureInfo.InvariantCulture, out var count) ? count : null;
}
