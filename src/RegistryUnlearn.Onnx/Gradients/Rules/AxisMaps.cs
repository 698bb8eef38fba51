using RegistryUnlearn.Onnx.Graphs;
using RegistryUnlearn.Onnx.Models;

namespace RegistryUnlearn.Onnx.Gradients.Rules;

/// <summary>Constant linear maps along one axis, as resampling and padding by repetition are.</summary>
static class AxisMaps
{
    /// <summary>matrix · x along an axis; the matrix is [out, in] by rows.</summary>
    public static Value Apply(GraphBuilder g, Value x, int rank, int axis, float[,] matrix)
    {
        int rows = matrix.GetLength(0), columns = matrix.GetLength(1);
        if (rank > 1 && axis == rank - 2)
            return g.MatMul(g.Constant(Tensors.Of([.. matrix.Cast<float>()], rows, columns)), x);
        var transposed = new float[rows * columns];
        for (var i = 0; i < rows; i++)
            for (var j = 0; j < columns; j++)
                transposed[j * rows + i] = matrix[i, j];
        var right = g.Constant(Tensors.Of(transposed, columns, rows));
        if (axis == rank - 1)
            return g.MatMul(x, right);
        var swap = Enumerable.Range(0, rank).Select(a => (long)(a == axis ? rank - 1 : a == rank - 1 ? axis : a)).ToArray();
        return g.Transpose(g.MatMul(g.Transpose(x, swap), right), swap);
    }

    /// <summary>The map that reads element <paramref name="from"/>[i] into element i, transposed if asked.</summary>
    public static float[,] Selection(int[] from, int size, bool transposed)
    {
        var matrix = transposed ? new float[size, from.Length] : new float[from.Length, size];
        for (var i = 0; i < from.Length; i++)
            matrix[transposed ? from[i] : i, transposed ? i : from[i]] = 1;
        return matrix;
    }

    /// <summary>The fixed size of an axis of input 0.</summary>
    /// <exception cref="OnnxModelException">The size is known only at run time.</exception>
    public static int FixedSize(RuleContext r, int axis) => r.InType(0).Shape[axis] is { IsFixed: true } dim ? (int)dim.Size
        : throw new OnnxModelException($"{r.Node.OpType} (node '{r.Node.Name}') needs a fixed size of axis {axis} for its gradient; give "
            + "the input's height and width in the model");
}
