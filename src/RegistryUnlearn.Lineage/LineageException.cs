namespace RegistryUnlearn.Lineage;

/// <summary>A lineage document that is not what it should be. The message names the place and the remedy.</summary>
public sealed class LineageException(string place, string message, Exception? inner = null) : Exception($"{place}: {message}", inner);
