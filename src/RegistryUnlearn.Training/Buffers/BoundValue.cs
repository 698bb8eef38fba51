using Microsoft.ML.OnnxRuntime;
using RegistryUnlearn.Training.Devices;

namespace RegistryUnlearn.Training.Buffers;

/// <summary>Memory for one input or output of a session.</summary>
/// <param name="Device">In whose own memory it is; null for the host's.</param>
/// <param name="Value">
/// The memory: always the same in the host's; on a device asked for at every run, since blocks there swap what they hold.
/// </param>
public readonly record struct BoundValue(string Name, ExecutionDevice? Device, Func<OrtValue> Value);
