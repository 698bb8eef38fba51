using static RegistryUnlearn.Onnx.Proto.TensorProto.Types;

namespace RegistryUnlearn.Onnx.Models;

/// <summary>A stored float tensor that training changes.</summary>
/// <param name="Tensor">The tensor; name, shape and element type are its.</param>
/// <param name="Operator">Operator through which it was recognised, such as Conv.</param>
/// <param name="Node">Name of that node, or its first output where it has no name.</param>
/// <param name="Slot">Index of the node's input that it reaches, directly or through Transpose, Reshape and the like.</param>
/// <param name="Why">One line for people, such as "input 1 of Conv '/conv1'".</param>
public sealed record TrainableParameter(TensorData Tensor, string Operator, string Node, int Slot, string Why)
{
    public string Name => Tensor.Name;

    public IReadOnlyList<long> Shape => Tensor.Shape;

    public DataType ElementType => Tensor.ElementType;
}

/// <summary>A stored float tensor that stays as it is, and the reason.</summary>
public sealed record FrozenTensor(TensorData Tensor, string Why)
{
    public string Name => Tensor.Name;
}

/// <summary>The choice made for a model: each float tensor in one of two lists, in the order of <see cref="ModelFile.Tensors"/>.</summary>
public sealed record ParameterSelection(IReadOnlyList<TrainableParameter> Trainable, IReadOnlyList<FrozenTensor> Frozen);
