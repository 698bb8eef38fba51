using RegistryUnlearn.Onnx.Gradients;
using RegistryUnlearn.Onnx.Graphs;
using RegistryUnlearn.Onnx.Proto;

namespace RegistryUnlearn.Onnx.Steps;

/// <summary>A loss on one batch: appended to the graph, it declares what it needs beside the logits as inputs under the prefix.</summary>
/// <param name="prefix">Prefix of the batch, such as <c>support/</c>; inputs of the loss start with it.</param>
/// <param name="logits">[N, C]; [N, P, C] where the model answers for positions.</param>
/// <returns>A scalar.</returns>
public delegate Value BatchLoss(GraphBuilder graph, string prefix, Value logits);

/// <summary>Whether the meta-gradient keeps the second derivative of the inner step.</summary>
public enum MetaOrder
{
    /// <summary>Differentiated through the inner step.</summary>
    Exact,

    /// <summary>The inner step's dependence on θ is dropped: ∇L_S(θ) + λ · mean ∇L_Q(θ^τ).</summary>
    First,
}

/// <summary>
/// Training graphs as models of standard operators. Parameters are inputs under their own names; batches are inputs
/// <c>{prefix}input</c> (and what the loss declares, such as <c>{prefix}labels</c>); gradients are outputs <c>gradient/{parameter}</c>.
/// </summary>
public static class StepGraph
{
    public const string Gradient = "gradient/";
    public const string Loss = "loss";
    public const string Logits = "logits";
    public const string SupportLoss = "loss/support";
    public const string QueryLoss = "loss/query";
    public const string Alpha = "alpha";
    public const string Lambda = "lambda";
    public const string Direction = "v/";
    public const string Product = "hv/";

    /// <summary>Prefix of the support batch of a meta-step.</summary>
    public const string Support = "support/";

    /// <summary>Input: what the inner step of a parameter outside the curvature's layers is multiplied with.</summary>
    public static string InnerScale(ModelParameter parameter) => "inner-scale/" + parameter.Name;

    /// <summary>Prefix of query batch m of a meta-step.</summary>
    public static string Query(int m) => $"query-{m}/";

    /// <summary>
    /// Loss, logits (in the model's own shape) and ∇loss on one batch without prefix: inputs <c>input</c> and what the loss needs.
    /// </summary>
    public static ModelProto FirstOrder(ForwardModel model, BatchLoss loss)
    {
        var (g, gradients, _, _) = Differentiated(model, loss);
        OutputGradients(g, model, gradients);
        return g.Build();
    }

    /// <summary>
    /// As <see cref="FirstOrder"/>, and the Hessian-vector products <c>hv/{parameter}</c> for directions <c>v/{parameter}</c>.
    /// </summary>
    public static ModelProto HessianVector(ForwardModel model, BatchLoss loss)
    {
        var (g, gradients, parameters, differentiator) = Differentiated(model, loss);
        OutputGradients(g, model, gradients);
        var terms = model.Parameters.Select((p, i) =>
            g.SumAll(g.Mul(gradients[i], g.Input(Direction + p.Name, p.Type))));
        var products = differentiator.Gradients(terms.Aggregate(g.Add), parameters);
        differentiator.Refresh();
        for (var i = 0; i < products.Length; i++)
            g.Output(Product + model.Parameters[i].Name, products[i], model.Parameters[i].Type);
        return g.Build();
    }

    static (GraphBuilder, Value[] Gradients, Value[] Parameters, Differentiator) Differentiated(ForwardModel model, BatchLoss loss)
    {
        var g = model.NewGraph();
        var parameters = model.AddParameterInputs(g);
        var logits = model.Append(g, "model/", model.AddInput(g, "input", "batch"), parameters);
        var scalar = loss(g, "", model.Layout.Arrange(g, logits));
        var differentiator = new Differentiator(g);
        var gradients = differentiator.Gradients(scalar, parameters);
        differentiator.Refresh();
        g.Output(Loss, scalar);
        g.Output(Logits, logits, differentiator.Types[logits.Name]);
        return (g, gradients, parameters, differentiator);
    }

    /// <summary>
    /// One feedback of a learning-to-unlearn step (Huang, Foo, Liu, ECCV 2024) as one graph: with θ^τ = θ − α∇L_S(θ), the gradient of
    /// L_S(θ) + λ · mean_m L_{Q_m}(θ^τ). <c>alpha</c> and <c>lambda</c> are scalar inputs.
    /// </summary>
    /// <param name="curvature">
    /// Layers whose inner step is preconditioned, θ^τ = θ − α·P∇L_S(θ) with P as in <see cref="CurvatureGraph.Precondition(GraphBuilder,
    /// ForwardModel, IReadOnlyList{CurvatureLayer}, Value[])"/>; parameters of none are multiplied with an input
    /// <see cref="InnerScale"/>. Null for the plain gradient.
    /// </param>
    public static ModelProto Meta(
        ForwardModel model, BatchLoss supportLoss, BatchLoss queryLoss, int queries, MetaOrder order,
        IReadOnlyList<CurvatureLayer>? curvature = null)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(queries, 1);
        var g = model.NewGraph();
        var parameters = model.AddParameterInputs(g);
        var differentiator = new Differentiator(g);
        var onSupport = BatchLossAt(Support, parameters, supportLoss);
        var inner = differentiator.Gradients(onSupport, parameters);
        var alpha = g.Input(Alpha, TensorType.Float());
        Value[] steps = [.. inner];
        if (curvature is not null)
        {
            CurvatureGraph.Precondition(g, model, curvature, steps);
            foreach (var i in Enumerable.Range(0, steps.Length).Except(curvature.SelectMany(layer => layer.Parameters)))
                steps[i] = g.Mul(steps[i], g.Input(InnerScale(model.Parameters[i]), TensorType.Float()));
        }
        Value[] tuned = [.. parameters.Select((p, i) => g.Sub(p, g.Mul(alpha, steps[i])))];
        var sum = Enumerable.Range(0, queries).Select(m => BatchLossAt(Query(m), tuned, queryLoss)).Aggregate(g.Add);
        var onQueries = g.Scale(sum, 1f / queries);
        var outer = differentiator.Gradients(onQueries, order is MetaOrder.Exact ? parameters : tuned);
        var lambda = g.Input(Lambda, TensorType.Float());
        Value[] total = [.. parameters.Select((_, i) => g.Add(inner[i], g.Mul(lambda, outer[i])))];
        differentiator.Refresh();
        g.Output(SupportLoss, onSupport);
        g.Output(QueryLoss, onQueries);
        OutputGradients(g, model, total);
        return g.Build();

        Value BatchLossAt(string prefix, Value[] at, BatchLoss loss) =>
            loss(g, prefix, model.Layout.Arrange(
                g, model.Append(g, $"model/{prefix}", model.AddInput(g, prefix + "input", prefix + "batch"), at)));
    }

    /// <summary>
    /// The model itself with its parameters as inputs: input <c>input</c>, output <c>logits</c>, [N, C] or [N, P, C] for positions.
    /// </summary>
    public static ModelProto Forward(ForwardModel model)
    {
        var g = model.NewGraph();
        return Forward(model, g, model.AddParameterInputs(g));
    }

    /// <summary>
    /// The model itself with the given tensors in the place of its parameters, as constants that ONNX Runtime can fold and pack.
    /// </summary>
    public static ModelProto Forward(ForwardModel model, IReadOnlyList<TensorProto> parameters)
    {
        var g = model.NewGraph();
        return Forward(model, g, [.. parameters.Select((p, i) => g.Initializer(model.Parameters[i].Name, p))]);
    }

    static ModelProto Forward(ForwardModel model, GraphBuilder g, Value[] parameters)
    {
        var logits = model.Layout.Arrange(g, model.Append(g, "model/", model.AddInput(g, "input", "batch"), parameters));
        var types = new TypeOracle();
        types.Update(g);
        g.Output(Logits, logits, types[logits.Name]);
        return g.Build();
    }

    static void OutputGradients(GraphBuilder g, ForwardModel model, Value[] gradients)
    {
        for (var i = 0; i < gradients.Length; i++)
            g.Output(Gradient + model.Parameters[i].Name, gradients[i], model.Parameters[i].Type);
    }
}
