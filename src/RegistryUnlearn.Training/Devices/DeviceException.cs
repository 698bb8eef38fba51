namespace RegistryUnlearn.Training.Devices;

/// <summary>A device or engine that this build or machine does not have: bad input, exit code 2. The message says what it takes.</summary>
public sealed class DeviceException(string message, Exception? inner = null) : Exception(message, inner);
