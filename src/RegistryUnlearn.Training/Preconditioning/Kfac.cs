using System.Numerics.Tensors;
using MathNet.Numerics.LinearAlgebra;
using RegistryUnlearn.Onnx.Graphs;
using RegistryUnlearn.Onnx.Steps;
using RegistryUnlearn.Training.Buffers;
using RegistryUnlearn.Training.Runtime;

namespace RegistryUnlearn.Training.Preconditioning;

/// <summary>Fills the noise at the logits of the samples <c>start, start + 1, …</c>, as many as the span has room for.</summary>
public delegate void FillProbe(int start, Span<float> noise);

/// <summary>
/// Multiplies gradients with the inverse of a damped Kronecker-factored Gauss-Newton matrix of the logits (K-FAC; Martens and Grosse,
/// ICML 2015; eigenbasis form as in George et al., NeurIPS 2018, section 2). Measured once; parameters that belong to no factored layer
/// are divided by their mean curvature plus the damping.
/// </summary>
public sealed class Kfac : IDisposable
{
    /// <summary>Layers with more inputs or outputs keep no factors: one of this size takes 64 MB and some ten seconds.</summary>
    public const long LargestFactor = 4096;

    readonly bool[] factored;
    readonly TensorBlock gradients;
    readonly TensorBlock preconditioned;
    readonly GraphSession? session;
    readonly BoundStep? step;
    readonly float[] scale;

    Kfac(ForwardModel model, IReadOnlyList<CurvatureLayer> layers, float[] scale)
    {
        (this.scale, Layers) = (scale, layers);
        factored = new bool[scale.Length];
        foreach (var layer in layers)
            factored[layer.Weight] = factored[layer.Bias ?? layer.Weight] = true;
        gradients = new TensorBlock(model.Parameters);
        preconditioned = new TensorBlock([.. model.Parameters.Select(p => p with { Name = CurvatureGraph.Preconditioned + p.Name })]);
        if (layers.Count == 0)
            return;
        try
        {
            session = new GraphSession(CurvatureGraph.Precondition(model, layers));
            step = new BoundStep(
                session, _ => throw new InvalidOperationException("the graph has no free dimension"),
                [gradients.As(StepGraph.Gradient), preconditioned.As("")]);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>The layers that have factors.</summary>
    public IReadOnlyList<CurvatureLayer> Layers { get; }

    /// <summary>Mean eigenvalue over all factored layers, weighted equally; the damping is a multiple of it.</summary>
    public double MeanEigenvalue { get; private init; }

    /// <summary>Measures the factors at the present parameters.</summary>
    /// <param name="parameters">θ at which the curvature is taken.</param>
    /// <param name="samples">Number of samples to measure on.</param>
    /// <param name="fill">Their inputs.</param>
    /// <param name="probe">
    /// Fills rows of Gaussian noise, [rows, classes], each with mean zero over the classes; start is the first sample.
    /// </param>
    /// <param name="damping">Multiple of the mean eigenvalue that is added to every eigenvalue, &gt; 0.</param>
    public static Kfac Measure(
        ForwardModel model, int classes, TensorBlock parameters, int samples,
        Evaluation.FillInputs fill, FillProbe probe, double damping)
    {
        var (graph, layers) = CurvatureGraph.Factors(model, classes, LargestFactor);
        using var factors = new FactorSums(model, layers);
        using (var session = new GraphSession(graph))
            factors.Accumulate(session, model, parameters, samples, fill, probe);
        var mean = layers.Count == 0 ? factors.MeanCurvature() : layers.Average(factors.MeanEigenvalue);
        var added = damping * mean;
        var scale = new float[model.Parameters.Count];
        for (var i = 0; i < scale.Length; i++)
            scale[i] = (float)(1 / (factors.MeanCurvature(i) + added));
        var kfac = new Kfac(model, layers, scale) { MeanEigenvalue = mean };
        try
        {
            foreach (var layer in layers)
                kfac.SetBasis(layer, factors, added);
            return kfac;
        }
        catch
        {
            kfac.Dispose();
            throw;
        }
    }

    /// <summary>
    /// Replaces a direction by the inverse curvature times the direction. This works in the host's memory: a direction on a device is
    /// copied out and in.
    /// </summary>
    public void Apply(TensorBlock direction)
    {
        gradients.CopyFrom(direction);
        step?.Run();
        var target = direction.Device is null ? direction : gradients;
        for (var i = 0; i < target.TensorCount; i++)
            if (factored[i])
                preconditioned[i].CopyTo(target[i]);
            else
                TensorPrimitives.Multiply(target[i], scale[i], target[i]);
        if (target != direction)
            direction.CopyFrom(target);
    }

    /// <summary>Gives the inverse curvature to a graph that preconditions inside (<see cref="StepGraph.Meta"/>).</summary>
    public void Set(BoundStep target)
    {
        foreach (var name in Layers.SelectMany(layer => new[] { layer.InputBasis, layer.OutputBasis, layer.Scale }))
            step![name].Floats.CopyTo(target[name].Floats);
        for (var i = 0; i < scale.Length; i++)
            if (!factored[i])
                target[StepGraph.InnerScale(gradients.Layout[i])].Floats[0] = scale[i];
    }

    void SetBasis(CurvatureLayer layer, FactorSums factors, double damping)
    {
        var (inputValues, inputVectors) = Eigen(factors.InputFactor(layer));
        var (outputValues, outputVectors) = Eigen(factors.OutputFactor(layer));
        Store(inputVectors, step![layer.InputBasis].Floats);
        Store(outputVectors, step[layer.OutputBasis].Floats);
        var target = step[layer.Scale].Floats;
        for (var o = 0; o < layer.Outputs; o++)
            for (var i = 0; i < layer.Columns; i++)
                target[(int)(o * layer.Columns + i)] = (float)(1 / (Math.Max(0, outputValues[o]) * Math.Max(0, inputValues[i]) + damping));
    }

    static (Vector<double> Values, Matrix<double> Vectors) Eigen(Matrix<double> symmetric)
    {
        var eigen = symmetric.Evd(Symmetricity.Symmetric);
        return (eigen.EigenValues.Real(), eigen.EigenVectors);
    }

    static void Store(Matrix<double> matrix, Span<float> target)
    {
        for (var r = 0; r < matrix.RowCount; r++)
            for (var c = 0; c < matrix.ColumnCount; c++)
                target[r * matrix.ColumnCount + c] = (float)matrix[r, c];
    }

    public void Dispose()
    {
        step?.Dispose();
        session?.Dispose();
        gradients.Dispose();
        preconditioned.Dispose();
    }
}
