namespace RegistryUnlearn.Unlearning.Membership;

/// <summary>
/// Logistic regression with an L2 penalty, by Newton's method (iteratively reweighted least squares) in float64. It minimises
/// Σ ω_i log(1 + exp(−t_i s_i)) / Σ ω_i + λ/2 ‖v‖², t = ±1, over standardised columns with weights v; the intercept is free.
/// Separable data stay finite because of the penalty, constant columns get weight 0.
/// </summary>
static class LogisticRegression
{
    const int MaxSteps = 100;
    const double GradientTolerance = 1e-12;

    /// <summary>A column whose deviation is below this share of its size is constant: float32 cannot tell its values apart.</summary>
    const double ConstantColumn = 1e-6;

    /// <param name="columns">d columns of n values each, one after the other; standardised in place.</param>
    /// <param name="isMember">n targets: true for t = +1.</param>
    /// <param name="weights">n weights ω, none negative, both targets with a positive sum.</param>
    /// <param name="penalty">λ, positive.</param>
    /// <returns>d weights and the intercept, for columns that are not standardised.</returns>
    public static double[] Fit(double[] columns, bool[] isMember, double[] weights, double penalty)
    {
        var n = isMember.Length;
        var d = columns.Length / n;
        var total = weights.Sum();
        var (mean, scale) = (new double[d], new double[d]);
        for (var j = 0; j < d; j++)
            (mean[j], scale[j]) = Standardize(columns.AsSpan(j * n, n), weights, total);
        var problem = new Problem(columns, isMember, weights, total, penalty, d);
        var solution = Minimize(problem);
        for (var j = 0; j < d; j++)
        {
            solution[j] *= scale[j];
            solution[d] -= solution[j] * mean[j];
        }

        return solution;
    }

    /// <summary>Shifts to mean 0 and scales to deviation 1; a constant column becomes 0. Returns the mean and the factor.</summary>
    static (double Mean, double Scale) Standardize(Span<double> column, double[] weights, double total)
    {
        double mean = 0, variance = 0;
        for (var i = 0; i < column.Length; i++)
            mean += weights[i] * column[i] / total;
        for (var i = 0; i < column.Length; i++)
            variance += weights[i] * (column[i] - mean) * (column[i] - mean) / total;
        var deviation = Math.Sqrt(variance);
        var scale = deviation > ConstantColumn * Math.Max(1e-3, Math.Abs(mean)) ? 1 / deviation : 0;
        for (var i = 0; i < column.Length; i++)
            column[i] = (column[i] - mean) * scale;
        return (mean, scale);
    }

    /// <summary>Newton steps, damped as much as needed (Levenberg) for the objective to fall.</summary>
    static double[] Minimize(Problem problem)
    {
        var size = problem.Columns + 1;
        var (point, gradient, hessian) = (new double[size], new double[size], new double[size * size]);
        var value = problem.Evaluate(point, gradient, hessian);
        var damping = 0.0;
        for (var step = 0; step < MaxSteps && Norm(gradient) > GradientTolerance; step++)
        {
            var direction = SolveDamped(hessian, gradient, damping);
            var candidate = direction is null ? null : point.Zip(direction, (a, b) => a - b).ToArray();
            var (newGradient, newHessian) = (new double[size], new double[size * size]);
            var newValue = candidate is null ? double.PositiveInfinity : problem.Evaluate(candidate, newGradient, newHessian);
            if (newValue <= value && (newValue < value || Norm(newGradient) < Norm(gradient)))
            {
                (point, value, gradient, hessian) = (candidate!, newValue, newGradient, newHessian);
                damping = damping < 1e-9 ? 0 : damping / 10;
            }
            else if (damping > 1e9)
            {
                break;
            }
            else
            {
                damping = Math.Max(1e-9, damping * 10);
            }
        }

        return point;
    }

    static double Norm(double[] vector) => Math.Sqrt(vector.Sum(x => x * x));

    /// <summary>Solves (H + μI) x = g by Cholesky factors; null when the matrix is not positive definite.</summary>
    static double[]? SolveDamped(double[] matrix, double[] right, double damping)
    {
        var n = right.Length;
        var (factor, x) = ((double[])matrix.Clone(), (double[])right.Clone());
        for (var j = 0; j < n; j++)
        {
            for (var i = j; i < n; i++)
            {
                var sum = factor[(i * n) + j] + (i == j ? damping : 0);
                for (var k = 0; k < j; k++)
                    sum -= factor[(i * n) + k] * factor[(j * n) + k];
                if (i == j && !(sum > 1e-300))
                    return null;
                factor[(i * n) + j] = i == j ? Math.Sqrt(sum) : sum / factor[(j * n) + j];
            }
        }

        for (var i = 0; i < n; i++)
        {
            for (var k = 0; k < i; k++)
                x[i] -= factor[(i * n) + k] * x[k];
            x[i] /= factor[(i * n) + i];
        }

        for (var i = n - 1; i >= 0; i--)
        {
            for (var k = i + 1; k < n; k++)
                x[i] -= factor[(k * n) + i] * x[k];
            x[i] /= factor[(i * n) + i];
        }

        return x;
    }

    /// <summary>The objective over standardised columns with its first two derivatives.</summary>
    sealed class Problem(double[] columns, bool[] isMember, double[] weights, double total, double penalty, int d)
    {
        public int Columns => d;

        public double Evaluate(double[] point, double[] gradient, double[] hessian)
        {
            var (n, size) = (isMember.Length, d + 1);
            Span<double> row = stackalloc double[size];
            row[d] = 1;
            var value = 0.0;
            for (var i = 0; i < n; i++)
            {
                if (weights[i] is 0)
                    continue;
                var score = point[d];
                for (var j = 0; j < d; j++)
                    score += point[j] * (row[j] = columns[(j * n) + i]);
                var weight = weights[i] / total;
                var margin = isMember[i] ? score : -score;
                var tail = Math.Exp(-Math.Abs(margin));
                value += weight * (Math.Max(-margin, 0) + double.LogP1(tail));
                var probability = score >= 0 ? 1 / (1 + tail) : tail / (1 + tail);
                var slope = weight * (isMember[i] ? probability - 1 : probability);
                var curvature = weight * tail / ((1 + tail) * (1 + tail));
                for (var j = 0; j < size; j++)
                {
                    gradient[j] += slope * row[j];
                    for (var k = 0; k <= j; k++)
                        hessian[(j * size) + k] += curvature * row[j] * row[k];
                }
            }

            for (var j = 0; j < d; j++)
            {
                value += penalty / 2 * point[j] * point[j];
                gradient[j] += penalty * point[j];
                hessian[(j * size) + j] += penalty;
            }

            return value;
        }
    }
}
