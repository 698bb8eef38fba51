namespace RegistryUnlearn.Onnx.Models;

/// <summary>
/// Chooses what is trainable: float tensors that reach a parameter input of a layer (Conv, ConvTranspose, Gemm, MatMul, Einsum, Gather by
/// computed indices, the normalisations, PRelu, LSTM, GRU, RNN), or an initial state of a recurrent layer or one side of Add, Sub, Mul,
/// Div or Concat with an activation on the other if their values look learned; directly, through operators that only rearrange, or
/// composed with other parameters. Running statistics never are, nor is what looks like preprocessing: one number per channel at the raw
/// input.
/// </summary>
public static class ParameterDetection
{
    /// <param name="model">The model.</param>
    /// <param name="patterns">The request's own choice; null for all that are detected.</param>
    /// <param name="output">Value the parameters must lead to, such as the logits; null for any output of the graph.</param>
    /// <returns>At least one trainable parameter, and the reasons for the rest.</returns>
    /// <exception cref="OnnxModelException">Nothing is trainable, or a pattern selects nothing that can be trained.</exception>
    public static ParameterSelection Detect(ModelFile model, ParameterPatterns? patterns = null, string? output = null)
    {
        patterns ??= ParameterPatterns.Default;
        var trace = new ParameterTrace(model, output is null ? [.. model.Model.Graph.Output.Select(o => o.Name)] : [output]);
        var candidates = Enumerable.Range(0, model.Tensors.Count).Select(i => trace.IsStatistic[i] ? null : trace.Found[i]).ToArray();
        if (candidates.All(c => c is null) && !patterns.Include.Any(ParameterPatterns.IsExact)) throw NothingFound(model, trace);

        for (var i = 0; i < candidates.Length; i++)
            if (patterns.Include.Contains(model.Tensors[i].Name) && candidates[i] is null)
                candidates[i] = Named(model.Tensors[i], trace.IsStatistic[i], trace.WhyNot[i]);
        foreach (var pattern in patterns.Include.Concat(patterns.Exclude)) RequireMatch(model, pattern, candidates);

        var trainable = new List<TrainableParameter>();
        var frozen = new List<FrozenTensor>();
        for (var i = 0; i < candidates.Length; i++)
        {
            var tensor = model.Tensors[i];
            if (!tensor.IsFloat) continue;
            var excluded = patterns.Exclude.FirstOrDefault(p => ParameterPatterns.Matches(p, tensor.Name));
            var included = patterns.Include.Count == 0 || patterns.Include.Any(p => ParameterPatterns.Matches(p, tensor.Name));
            if (candidates[i] is { } candidate && included && excluded is null) trainable.Add(candidate);
            else frozen.Add(new(tensor, candidates[i] is null ? trace.WhyNot[i] ?? "no node on the way to the output uses it"
                : excluded is null ? "not among the included patterns" : $"excluded by pattern '{excluded}'"));
        }
        return trainable.Count > 0
            ? new(trainable, frozen)
            : throw new OnnxModelException(model.Path, "trainable parameters", "the patterns exclude all of them",
                "Exclude fewer parameters");
    }

    static TrainableParameter Named(TensorData tensor, bool isStatistic, string? whyNot)
    {
        tensor.RequireFloat();
        const string remedy = "Take its name out of the included parameters";
        if (tensor.Count == 0) throw tensor.Bad("has no elements", remedy);
        if (isStatistic) throw tensor.Bad("holds running statistics, which are never trained", remedy);
        if (whyNot is null) throw tensor.Bad("no node on the way to the output uses it", remedy);
        return new(tensor, "", "", -1, "named by the request");
    }

    static void RequireMatch(ModelFile model, string pattern, TrainableParameter?[] candidates)
    {
        if (candidates.Any(c => c is not null && ParameterPatterns.Matches(pattern, c.Name))) return;
        throw new OnnxModelException(model.Path, $"parameter pattern '{pattern}'", "selects no trainable parameter",
            $"Choose among {Some(candidates.OfType<TrainableParameter>().Select(c => c.Name))}");
    }

    static OnnxModelException NothingFound(ModelFile model, ParameterTrace trace)
    {
        var operators = trace.Nodes.GroupBy(n => n.OpType).OrderByDescending(g => g.Count()).Select(g => $"{g.Count()} {g.Key}");
        var floats = Enumerable.Range(0, model.Tensors.Count).Where(i => model.Tensors[i].IsFloat).ToList();
        var reasons = floats.Select(i => $"'{model.Tensors[i].Name}' ({trace.WhyNot[i] ?? "no node on the way to the output uses it"})");
        return new(model.Path, "trainable parameters",
            $"none found; looked at {trace.Nodes.Count} nodes ({Some(operators)}) "
            + $"and {floats.Count} float tensors of {model.Tensors.Count} ({Some(reasons)})",
            "Name the parameters in the request, or export the model in float with its functions inlined");
    }

    static string Some(IEnumerable<string> items)
    {
        var list = items.ToList();
        return list.Count == 0 ? "none" : string.Join(", ", list.Take(8)) + (list.Count > 8 ? $" and {list.Count - 8} more" : "");
    }
}
