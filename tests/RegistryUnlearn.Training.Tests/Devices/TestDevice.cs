using Microsoft.ML.OnnxRuntime;
using RegistryUnlearn.Training.Devices;

namespace RegistryUnlearn.Training.Tests.Devices;

/// <summary>
/// The CPU provider in the place of a device with memory of its own: blocks in it cannot be read by the host, so that a forgotten copy
/// is an error as it is on a GPU.
/// </summary>
static class TestDevice
{
    public static ExecutionDevice Apart { get; } = new("test", _ => { }, () => OrtMemoryInfo.DefaultInstance);

    public static ExecutionDevice[] All { get; } = [ExecutionDevice.Cpu, Apart];

    public static TheoryData<string> Names { get; } = new(All.Select(d => d.Name));

    public static ExecutionDevice Of(string name) => All.Single(d => d.Name == name);
}
