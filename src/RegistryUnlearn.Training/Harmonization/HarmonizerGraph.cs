using RegistryUnlearn.Onnx.Graphs;
using RegistryUnlearn.Onnx.Proto;
using RegistryUnlearn.Onnx.TrainingArtifacts;
using static RegistryUnlearn.Onnx.Proto.TensorProto.Types;

namespace RegistryUnlearn.Training.Harmonization;

/// <summary>
/// <see cref="Harmonizer"/> as a graph of standard operators, for engines whose gradients lie on another device. Inputs
/// <c>remember/{parameter}</c>, <c>forget/{parameter}</c> and the scalar <c>forget_weight</c>; outputs <c>direction/{parameter}</c> and
/// the scalars <c>cosine</c>, <c>fired</c> and <c>kept_forget_norm</c>. Products are float32 within a tensor and float64 across tensors.
/// </summary>
public static class HarmonizerGraph
{
    public const string Remember = "remember/";
    public const string Forget = "forget/";
    public const string ForgetWeight = "forget_weight";
    public const string Direction = "direction/";
    public const string Cosine = "cosine";
    public const string Fired = "fired";
    public const string KeptForgetNorm = "kept_forget_norm";

    public static ModelProto Build(IReadOnlyList<ModelParameter> parameters, HarmonizationScope scope, HarmonizationMode mode)
    {
        var g = new GraphBuilder(GraphBuilder.OldestOpset);
        Value[] remember = [.. parameters.Select(p => g.Input(Remember + p.Name, p.Type))];
        Value[] forget = [.. parameters.Select(p => g.Input(Forget + p.Name, p.Type))];
        var weight = g.Input(ForgetWeight, TensorType.Float());
        Products[] tensors = [.. remember.Zip(forget, (r, f) => new Products(Dot(g, r, r), Dot(g, r, f), Dot(g, f, f)))];
        var all = tensors.Aggregate((a, b) => new(g.Add(a.RR, b.RR), g.Add(a.RF, b.RF), g.Add(a.FF, b.FF)));
        Projection[] projections = scope is HarmonizationScope.Global
            ? [Project(g, all, mode)] : [.. tensors.Select(t => Project(g, t, mode))];
        for (var i = 0; i < parameters.Count; i++)
        {
            var projection = projections[scope is HarmonizationScope.Global ? 0 : i];
            var direction = g.Add(
                g.Mul(remember[i], g.Add(g.Scalar(1), g.Mul(weight, projection.IntoForget))),
                g.Mul(forget[i], g.Add(projection.IntoRemember, weight)));
            g.Output(Direction + parameters[i].Name, direction, parameters[i].Type);
        }
        g.Output(Cosine, g.Cast(Guarded(g, all, g.Div(all.RF, g.Mul(g.Sqrt(all.RR), g.Sqrt(all.FF))))));
        g.Output(Fired, g.Scale(projections.Select(p => g.Cast(p.Conflict)).Aggregate(g.Add), 1f / projections.Length));
        var kept = g.Sqrt(g.Div(g.Add("Max", [projections.Select(p => p.KeptSquare).Aggregate(g.Add), Zero(g)]), all.FF));
        g.Output(KeptForgetNorm, g.Cast(g.Where(g.Greater(all.FF, Zero(g)), kept, Double(g, 1))));
        return OrtTrainingContract.Finish(g);
    }

    /// <summary>⟨r,r⟩, ⟨r,f⟩ and ⟨f,f⟩, float64 scalars.</summary>
    readonly record struct Products(Value RR, Value RF, Value FF);

    /// <param name="IntoRemember">What is added of G_f to G_r; float32.</param>
    /// <param name="IntoForget">What is added of G_r to G_f; float32.</param>
    /// <param name="KeptSquare">‖G_f'‖², float64.</param>
    readonly record struct Projection(Value Conflict, Value IntoRemember, Value IntoForget, Value KeptSquare);

    static Projection Project(GraphBuilder g, Products p, HarmonizationMode mode)
    {
        // A squared norm is never below zero.
        var conflict = mode is HarmonizationMode.Off
            ? g.Less(p.RR, Zero(g)) : g.And(g.Less(p.RF, Zero(g)), g.And(g.Greater(p.RR, Zero(g)), g.Greater(p.FF, Zero(g))));
        var intoForget = g.Where(conflict, g.Neg(g.Div(p.RF, p.RR)), Zero(g));
        var intoRemember = mode is HarmonizationMode.Symmetric
            ? g.Cast(g.Where(conflict, g.Neg(g.Div(p.RF, p.FF)), Zero(g))) : g.Scalar(0);
        // ‖f + c·r‖² = ⟨f,f⟩ + c · (2⟨r,f⟩ + c⟨r,r⟩)
        var kept = g.Add(p.FF, g.Mul(intoForget, g.Add(g.Add(p.RF, p.RF), g.Mul(intoForget, p.RR))));
        return new(conflict, intoRemember, g.Cast(intoForget), kept);
    }

    /// <summary>0 where a norm is zero; not a number stays visible.</summary>
    static Value Guarded(GraphBuilder g, Products p, Value value) =>
        g.Where(g.Add("Or", [g.Equal(p.RR, Zero(g)), g.Equal(p.FF, Zero(g))]), Zero(g), value);

    /// <summary>⟨a, b⟩, summed in float32, as a float64 scalar.</summary>
    internal static Value Dot(GraphBuilder g, Value a, Value b) => g.Cast(g.SumAll(g.Mul(a, b)), DataType.Double);

    static Value Zero(GraphBuilder g) => Double(g, 0);

    static Value Double(GraphBuilder g, float value) => g.Cast(g.Scalar(value), DataType.Double);
}
