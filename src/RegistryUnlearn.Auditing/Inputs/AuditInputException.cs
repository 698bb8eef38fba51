namespace RegistryUnlearn.Auditing;

/// <summary>What was given to the audit cannot be audited; the message names the place and the remedy.</summary>
public sealed class AuditInputException(string message) : Exception(message);
