using System.Runtime.InteropServices;
using RegistryUnlearn.Onnx.Graphs;
using RegistryUnlearn.Onnx.Models;
using RegistryUnlearn.Onnx.Proto;
using RegistryUnlearn.Onnx.TrainingArtifacts;
using static RegistryUnlearn.Onnx.Proto.TensorProto.Types;

namespace RegistryUnlearn.Worker.Tests.Artifacts;

/// <summary>
/// Artifacts as ONNX Runtime's generator writes them, by hand: a small convolutional network with a softmax cross-entropy, gradients in
/// training-only operators, gradient names made of the values' names, and a bias that is frozen.
/// </summary>
static class GeneratedArtifacts
{
    public const int Classes = 3;

    static readonly Random Weights = new(3);

    public static void Write(string folder)
    {
        Directory.CreateDirectory(folder);
        Checkpoint checkpoint = new([Tensor("conv.weight", 4, 2, 3, 3), Tensor("conv.bias", 4), Tensor("fc.weight", Classes, 16)],
            [Tensor("fc.bias", Classes)]);
        checkpoint.Write(Path.Combine(folder, "checkpoint"));
        ModelFile.Write(Training(checkpoint), Path.Combine(folder, "training_model.onnx"));
        ModelFile.Write(Forward(checkpoint).Build(), Path.Combine(folder, "eval_model.onnx"));
        ModelFile.Write(OptimizerGraph.Build(OrtOptimizer.AdamW), Path.Combine(folder, "optimizer_model.onnx"));
    }

    static ModelProto Training(Checkpoint checkpoint)
    {
        var g = Forward(checkpoint);
        g.Import("com.microsoft", 1);
        g.Initializer("loss_grad", Tensors.Scalar(1));
        Emit(g, "com.microsoft.SoftmaxCrossEntropyLossGrad", ["loss_grad", "log_prob", "target"], ["logits_grad"],
            Attributes.Of("reduction", "mean"));
        Emit(g, "Gemm", ["logits_grad", "fc.weight"], ["flat_grad"]);
        Emit(g, "Gemm", ["logits_grad", "flat"], ["fc.weight_grad"], Attributes.Of("transA", 1));
        Emit(g, "Shape", ["pooled"], ["pooled_shape"]);
        Emit(g, "Reshape", ["flat_grad", "pooled_shape"], ["pooled_grad"]);
        g.Add(new NodeProto
        {
            OpType = "MaxPoolGrad",
            Name = "pool_Grad",
            Input = { "pooled_grad", "indices" },
            Output = { "active_grad" },
        });
        Emit(g, "com.microsoft.ReluGrad", ["active_grad", "active"], ["convolved_grad"]);
        Emit(g, "com.microsoft.ConvGrad", ["convolved_grad", "x", "conv.weight"], ["", "conv.weight_grad", "conv.bias_grad"], Pads);
        foreach (var tensor in checkpoint.Trainable)
        {
            g.Input(tensor.Name + "_grad.accumulation.buffer", TensorType.Float([.. tensor.Dims.Select(d => (Dim)d)]));
            Emit(g, "com.microsoft.InPlaceAccumulatorV2",
                [tensor.Name + "_grad.accumulation.buffer", tensor.Name + "_grad", "lazy_reset_grad"],
                [tensor.Name + "_grad.accumulation.out"]);
        }
        g.Input("lazy_reset_grad", new(DataType.Bool, [1]));
        foreach (var tensor in checkpoint.Trainable)
            g.Output(tensor.Name + "_grad.accumulation.out", new(tensor.Name + "_grad.accumulation.out"), new(DataType.Bool, [1]));
        var model = g.Build();
        // The kernel of MaxPoolGrad takes the size of its output from here.
        model.Graph.ValueInfo.Add(TensorType.Float("batch", 4, 4, 4).ToValueInfo("active_grad"));
        return model;
    }

    static GraphBuilder Forward(Checkpoint checkpoint)
    {
        var g = new GraphBuilder(GraphBuilder.OldestOpset);
        g.Input("x", TensorType.Float("batch", 2, 4, 4));
        g.Input("target", TensorType.Int64("batch"));
        foreach (var tensor in checkpoint.Trainable.Concat(checkpoint.Frozen))
            g.Input(tensor.Name, TensorType.Float([.. tensor.Dims.Select(d => (Dim)d)]));
        Emit(g, "Conv", ["x", "conv.weight", "conv.bias"], ["convolved"], Pads);
        Emit(g, "Relu", ["convolved"], ["active"]);
        Emit(g, "MaxPool", ["active"], ["pooled", "indices"], Attributes.Of("kernel_shape", [2, 2]), Attributes.Of("strides", [2, 2]));
        Emit(g, "Flatten", ["pooled"], ["flat"]);
        Emit(g, "Gemm", ["flat", "fc.weight", "fc.bias"], ["logits"], Attributes.Of("transB", 1));
        Emit(g, "SoftmaxCrossEntropyLoss", ["logits", "target"], ["loss", "log_prob"], Attributes.Of("reduction", "mean"));
        g.Output("loss", new("loss"), TensorType.Float());
        return g;
    }

    static AttributeProto Pads => Attributes.Of("pads", [1, 1, 1, 1]);

    static void Emit(GraphBuilder g, string op, string[] inputs, string[] outputs, params AttributeProto[] attributes)
    {
        var dot = op.LastIndexOf('.');
        g.Add(new NodeProto
        {
            Domain = dot < 0 ? "" : op[..dot],
            OpType = op[(dot + 1)..],
            Name = outputs[^1] + "_node",
            Input = { inputs },
            Output = { outputs },
            Attribute = { attributes },
        });
    }

    static CheckpointTensor Tensor(string name, params long[] dims)
    {
        var values = new float[dims.Aggregate(1L, (n, d) => n * d)];
        foreach (ref var value in values.AsSpan()) value = Weights.NextSingle() - 0.5f;
        return new(name, DataType.Float, dims, MemoryMarshal.AsBytes(values.AsSpan()).ToArray());
    }
}
