using RegistryUnlearn.Onnx.Graphs;

namespace RegistryUnlearn.Unlearning.Runs;

/// <summary>
/// The layers of a model in the order in which it reads them: each begins with a parameter of two dimensions or more; vectors and
/// scalars (biases, scales of normalizations) belong to the layer that began before them, or to the first.
/// </summary>
static class ModelLayers
{
    /// <returns>Indices of the parameters of each layer.</returns>
    public static IReadOnlyList<IReadOnlyList<int>> Of(ForwardModel model)
    {
        var layers = new List<List<int>> { new() };
        var hasWeight = false;
        foreach (var use in model.Uses)
        {
            if (model.Parameters[use.Parameter].Shape.Count > 1)
            {
                if (hasWeight)
                    layers.Add([]);
                hasWeight = true;
            }
            layers[^1].Add(use.Parameter);
        }
        return layers;
    }

    /// <summary>The parameters of the last k layers, all where there are fewer.</summary>
    public static HashSet<int> Last(ForwardModel model, int k) => [.. Of(model).TakeLast(k).SelectMany(layer => layer)];
}
