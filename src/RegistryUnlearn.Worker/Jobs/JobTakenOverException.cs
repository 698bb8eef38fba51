using RegistryUnlearn.Registry;

namespace RegistryUnlearn.Worker.Jobs;

/// <summary>Another worker has begun or ended the job meanwhile: this one stops, and writes nothing more.</summary>
public sealed class JobTakenOverException(JobId job) : Exception($"{job}: another worker has taken the job over; this one stops");
