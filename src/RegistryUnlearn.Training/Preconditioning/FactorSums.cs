using MathNet.Numerics.LinearAlgebra;
using RegistryUnlearn.Onnx.Graphs;
using RegistryUnlearn.Onnx.Steps;
using RegistryUnlearn.Training.Buffers;
using RegistryUnlearn.Training.Runtime;

namespace RegistryUnlearn.Training.Preconditioning;

/// <summary>Second moments of layer inputs and output gradients, summed over samples in float64.</summary>
sealed class FactorSums(ForwardModel model, IReadOnlyList<CurvatureLayer> layers) : IDisposable
{
    const int Batch = 64;

    readonly double[][] inputMoments = [.. layers.Select(l => new double[l.Inputs * l.Inputs])];
    readonly double[][] inputSums = [.. layers.Select(l => new double[l.Inputs])];
    readonly double[][] outputMoments = [.. layers.Select(l => new double[l.Outputs * l.Outputs])];
    readonly double[] squares = new double[model.Parameters.Count];
    readonly TensorBlock gradients = new(model.Parameters);
    long samples;

    public void Accumulate(
        GraphSession session, ForwardModel forward, TensorBlock parameters, int count,
        Evaluation.FillInputs fill, FillProbe probe)
    {
        var batch = (int)(forward.FixedBatch ?? Math.Min(Batch, count));
        using var step = new BoundStep(session, _ => batch, parameters, gradients);
        // A last part smaller than a batch is left out: the estimate does not need every sample.
        for (var start = 0; start + batch <= count; start += batch)
        {
            fill(start, step["input"].Inputs);
            probe(start, step[CurvatureGraph.Probe].Floats);
            step.Run();
            foreach (var layer in layers)
            {
                Add(inputMoments[layer.Index], step[layer.InputMoment].Floats);
                Add(inputSums[layer.Index], step[layer.InputSum].Floats);
                Add(outputMoments[layer.Index], step[layer.OutputMoment].Floats);
            }
            for (var i = 0; i < squares.Length; i++)
                foreach (var value in gradients[i])
                    squares[i] += (double)value * value;
            samples += batch;
        }
    }

    /// <summary>A: per sample the sum over positions of a·aᵀ with a 1 appended for the bias, averaged over samples.</summary>
    public Matrix<double> InputFactor(CurvatureLayer layer)
    {
        int n = (int)layer.Inputs, columns = (int)layer.Columns;
        return Matrix<double>.Build.Dense(columns, columns, (r, c) =>
            (r < n && c < n ? inputMoments[layer.Index][r * n + c]
            : r < n ? inputSums[layer.Index][r]
            : c < n ? inputSums[layer.Index][c]
            : (double)samples * layer.Positions) / samples);
    }

    /// <summary>G: g·gᵀ averaged over samples and positions.</summary>
    public Matrix<double> OutputFactor(CurvatureLayer layer)
    {
        var n = (int)layer.Outputs;
        return Matrix<double>.Build.Dense(n, n, (r, c) => outputMoments[layer.Index][r * n + c] / (samples * layer.Positions));
    }

    /// <summary>Mean over all pairs of eigenvalues of the two factors: the product of the mean diagonals.</summary>
    public double MeanEigenvalue(CurvatureLayer layer) =>
        InputFactor(layer).Trace() / layer.Columns * (OutputFactor(layer).Trace() / layer.Outputs);

    /// <summary>Mean diagonal of the Gauss-Newton matrix over the elements of a parameter: E[(∂ u·z / ∂θ)²] per sample.</summary>
    public double MeanCurvature(int parameter) => squares[parameter] / (samples * model.Parameters[parameter].Count);

    public double MeanCurvature() => squares.Sum() / (samples * model.Parameters.Sum(p => p.Count));

    static void Add(double[] sums, ReadOnlySpan<float> values)
    {
        for (var i = 0; i < sums.Length; i++)
            sums[i] += values[i];
    }

    public void Dispose() => gradients.Dispose();
}
