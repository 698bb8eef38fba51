using RegistryUnlearn.Onnx.Graphs;
using RegistryUnlearn.Training.Devices;

namespace RegistryUnlearn.Training.Algebra;

/// <summary>Chooses where blocks are computed on.</summary>
public static class BlockAlgebra
{
    /// <summary>The algebra of blocks that were made with this layout and device.</summary>
    /// <exception cref="DeviceException">The device is not there.</exception>
    public static IBlockAlgebra On(ExecutionDevice device, IReadOnlyList<ModelParameter> layout) =>
        device.SharesHostMemory ? new HostAlgebra(layout) : new DeviceAlgebra(device, layout);
}
