using RegistryUnlearn.Onnx.Graphs;

namespace RegistryUnlearn.Onnx.Intake;

/// <summary>The new forms of operators, for <see cref="OpsetUpgrades"/>.</summary>
static class UpgradedForms
{
    /// <summary>Integers that were an attribute become an input; without the attribute the input is absent as well.</summary>
    public static void AttributeToInput(NodeRewrite r, string attribute, int slot)
    {
        if (r.Take(attribute) is { } values)
            r.SetInput(slot, r.Constant([.. values.Ints]));
    }

    public static void Slice(NodeRewrite r)
    {
        AttributeToInput(r, "starts", 1);
        AttributeToInput(r, "ends", 2);
        AttributeToInput(r, "axes", 3);
    }

    public static void Clip(NodeRewrite r)
    {
        if (r.Take("min") is { } min) r.SetInput(1, r.Scalar(min.F));
        if (r.Take("max") is { } max) r.SetInput(2, r.Scalar(max.F));
    }

    public static void Pad(NodeRewrite r)
    {
        AttributeToInput(r, "pads", 1);
        if (r.Take("value") is { } value) r.SetInput(2, r.Scalar(value.F));
    }

    public static void Upsample(NodeRewrite r)
    {
        r.Node.OpType = "Resize";
        Asymmetric(r, r.Node.Input.ElementAtOrDefault(1) ?? "", "floor");
    }

    /// <summary>
    /// Resize 10 leaves open which element is nearest; ONNX Runtime rounds down where it enlarges and up where it reduces. A node that does
    /// both on different axes is split in two.
    /// </summary>
    public static void Resize(NodeRewrite r)
    {
        var scales = r.HasInput(1) ? r.Node.Input[1] : "";
        if (r.Node.Text("mode", "nearest") != "nearest")
        {
            Asymmetric(r, scales, "floor");
            return;
        }
        var factors = scales.Length > 0 ? r.ConstantFloats(1) : null;
        if (factors is null)
            throw r.Bad("nearest Resize before operator set 11 with scales that are no constant rounds in a way that is not known here",
                "Export the model with operator set 11 or newer, or with fixed sizes");
        if (factors.Any(f => f > 1) && factors.Any(f => f < 1))
        {
            var enlarged = r.Constant([.. factors.Select(f => Math.Max(f, 1))]);
            r.Node.Input[0] = r.Before("Resize", [r.Node.Input[0], "", enlarged], Attributes.Of("mode", "nearest"),
                Attributes.Of("coordinate_transformation_mode", "asymmetric"), Attributes.Of("nearest_mode", "floor"));
            scales = r.Constant([.. factors.Select(f => Math.Min(f, 1))]);
        }
        Asymmetric(r, scales, factors.Any(f => f < 1) ? "ceil" : "floor");
    }

    static void Asymmetric(NodeRewrite r, string scales, string nearest)
    {
        r.SetInput(1, "");
        r.SetInput(2, scales);
        r.Set(Attributes.Of("coordinate_transformation_mode", "asymmetric"));
        r.Set(Attributes.Of("nearest_mode", nearest));
    }

    /// <summary>Before version 13 all axes from <c>axis</c> on were one: the same as the new form where this is the last axis.</summary>
    public static void OverFlattened(NodeRewrite r)
    {
        var axis = r.Take("axis")?.I ?? 1;
        r.Set(Attributes.Of("axis", -1L));
        if (axis == -1 || (r.Rank is { } rank && axis == rank - 1)) return;
        var input = r.Node.Input[0];
        r.Node.Input[0] = r.Before("Flatten", [input], Attributes.Of("axis", axis));
        r.Behind("Reshape", [r.Before("Shape", [input])]);
    }

    /// <summary>Before version 14 only the number of outputs told training from inference.</summary>
    public static void BatchNormalization(NodeRewrite r)
    {
        var isTraining = r.Node.Output.Skip(1).Any(o => o.Length > 0);
        if (isTraining) r.Set(Attributes.Of("training_mode", 1L));
        while (r.Node.Output.Count > (isTraining ? 3 : 1)) r.Node.Output.RemoveAt(r.Node.Output.Count - 1);
    }

    /// <summary>From version 18 on the number of equal parts is said.</summary>
    public static void SplitEvenly(NodeRewrite r)
    {
        if (!r.HasInput(1)) r.Set(Attributes.Of("num_outputs", r.Node.Output.Count));
    }

    /// <summary>From version 21 on scale and bias have one entry per channel instead of one per group.</summary>
    public static void GroupNormalization(NodeRewrite r)
    {
        var groups = r.Constant(r.Node.Int("num_groups", 1));
        var channels = r.Before("Shape", [r.Node.Input[0]], Attributes.Of("start", 1L), Attributes.Of("end", 2L));
        var shape = r.Before("Concat", [groups, r.Before("Div", [channels, groups])], Attributes.Of("axis", 0L));
        for (var slot = 1; slot <= 2 && r.HasInput(slot); slot++)
        {
            var columns = r.Before("Unsqueeze", [r.Node.Input[slot], r.Constant(1L)]);
            r.SetInput(slot, r.Before("Reshape", [r.Before("Expand", [columns, shape]), r.Constant(-1L)]));
        }
    }
}
