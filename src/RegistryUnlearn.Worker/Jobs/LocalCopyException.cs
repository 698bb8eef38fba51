namespace RegistryUnlearn.Worker.Jobs;

/// <summary>This machine cannot keep a job's local copies: says nothing about the job, which another machine may well carry out.</summary>
public sealed class LocalCopyException(string folder, string error, Exception? inner = null) : InputException(folder, error, inner);
