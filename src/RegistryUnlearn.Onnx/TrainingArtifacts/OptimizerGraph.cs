using RegistryUnlearn.Onnx.Graphs;
using RegistryUnlearn.Onnx.Proto;
using static RegistryUnlearn.Onnx.Proto.TensorProto.Types;

namespace RegistryUnlearn.Onnx.TrainingArtifacts;

/// <summary>Optimizers of the training engine.</summary>
public enum OrtOptimizer
{
    /// <summary>Adam with decoupled weight decay, in the form of torch.optim.AdamW.</summary>
    AdamW,

    /// <summary>Gradient descent without momentum.</summary>
    Sgd,
}

/// <summary>
/// The optimizer of the training engine: one node on sequences of all parameters, gradients and moments, updated in place. Inputs must
/// have these names and this order.
/// </summary>
public static class OptimizerGraph
{
    public const float Beta1 = 0.9f, Beta2 = 0.999f, Epsilon = 1e-8f, WeightDecay = 0.01f;

    const string LearningRate = "learning_rate", Step = "step", Parameters = "params", Gradients = "gradients";
    const string FirstMoments = "first_order_moments", SecondMoments = "second_order_moments", Updated = "updated_flag";

    public static ModelProto Build(OrtOptimizer optimizer)
    {
        var graph = new GraphProto
        {
            Name = "optimizer",
            Node = { Node(optimizer) },
            Input =
            {
                TensorType.Float(1).ToValueInfo(LearningRate), TensorType.Int64(1).ToValueInfo(Step),
                Sequence(Parameters), Sequence(Gradients), Sequence(FirstMoments),
            },
            // Without shape: the engine's own inference gives a scalar for one optimizer and a vector for the other.
            Output = { new ValueInfoProto { Name = Updated, Type = new() { TensorType = new() { ElemType = (int)DataType.Bool } } } },
        };
        if (optimizer is OrtOptimizer.AdamW) graph.Input.Add(Sequence(SecondMoments));
        return new()
        {
            IrVersion = 10,
            ProducerName = "RegistryUnlearn",
            Graph = graph,
            OpsetImport =
            {
                new OperatorSetIdProto { Version = GraphBuilder.OldestOpset },
                new OperatorSetIdProto { Domain = OrtTrainingContract.Domain, Version = 1 },
            },
        };
    }

    static NodeProto Node(OrtOptimizer optimizer) => optimizer is OrtOptimizer.AdamW
        ? new()
        {
            Domain = OrtTrainingContract.Domain,
            OpType = "AdamWOptimizer",
            Name = "AdamW",
            Input = { LearningRate, Step, Parameters, Gradients, FirstMoments, SecondMoments },
            Output = { Updated },
            Attribute =
            {
                Attributes.Of("alpha", Beta1), Attributes.Of("beta", Beta2), Attributes.Of("epsilon", Epsilon),
                Attributes.Of("weight_decay", WeightDecay), Attributes.Of("adam_mode", 0L), Attributes.Of("correct_bias", 1L),
            },
        }
        : new()
        {
            Domain = OrtTrainingContract.Domain,
            OpType = "SGDOptimizerV2",
            Name = "Sgd",
            Input = { LearningRate, Parameters, Gradients },
            Output = { Updated },
        };

    static ValueInfoProto Sequence(string name) => new()
    {
        Name = name,
        Type = new() { SequenceType = new() { ElemType = new() { TensorType = new() { ElemType = (int)DataType.Float } } } },
    };
}
