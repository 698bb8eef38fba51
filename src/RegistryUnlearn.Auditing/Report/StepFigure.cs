namespace RegistryUnlearn.Auditing.Report;

/// <summary>
/// The run, step by step: losses, the angle between the two gradients, what harmonization left of the forgetting gradient.
/// </summary>
static class StepFigure
{
    // More points than this are averaged in groups: a panel is about 280 pixels wide.
    const int MaxPoints = 280;

    /// <exception cref="AuditInputException">A value is not finite, or the steps do not ascend.</exception>
    public static Figure Make(IReadOnlyList<StepRecord> steps)
    {
        Check(steps);
        var groups = steps.Chunk((steps.Count + MaxPoints - 1) / MaxPoints).ToList();
        double[] at = [.. groups.Select(group => group.Average(step => (double)step.Step))];
        var x = Axis.Linear("step", at[0], at[^1], about: 4) with { Min = at[0], Max = Math.Max(at[^1], at[0] + 1) };
        x = x with { Ticks = [.. x.Ticks.Where(tick => tick.Position >= x.Min && tick.Position <= x.Max)] };

        double[] remember = [.. groups.Select(group => group.Average(step => step.RememberLoss))];
        double[] forget = steps.All(step => step.ForgetLoss is not null)
            ? [.. groups.Select(group => group.Average(step => step.ForgetLoss!.Value))] : [];
        var losses = new Panel(
            "steps-losses", "Losses", forget.Length > 0 ? "The remembering and the forgetting loss per step." : "The loss per step.", x,
            Axis.Linear("loss", Math.Min(0, remember.Concat(forget).Min()), remember.Concat(forget).Max(), about: 4));
        losses.Line(at, remember, "retained");
        if (forget.Length > 0)
            losses.Line(at, forget, "forget");
        List<Panel> panels = [losses];

        var projected = steps.Count(step => step.ProjectionFired == true);
        if (steps.All(step => step.Cosine is not null))
        {
            double[] cosine = [.. groups.Select(group => group.Average(step => step.Cosine!.Value))];
            int[] fired = [.. Enumerable.Range(0, groups.Count).Where(i => groups[i].Any(step => step.ProjectionFired == true))];
            var panel = new Panel(
                "steps-cosine", "Agreement of the gradients",
                "The cosine between the two gradients per step, with the steps that were projected.",
                x,
                Axis.Linear("cosine", -1, 1, about: 4));
            panel.Line([x.Min, x.Max], [0, 0], "axis", 1);
            panel.Line(at, cosine, "oracle", 1.2f);
            panel.Dots([.. fired.Select(i => at[i])], [.. fired.Select(i => cosine[i])], "fired");
            panels.Add(panel);
        }

        if (steps.All(step => step.KeptForgetNorm is not null))
        {
            double[] kept = [.. groups.Select(group => group.Average(step => step.KeptForgetNorm!.Value))];
            var panel = new Panel(
                "steps-kept", "Forgetting gradient kept", "The norm of the forgetting gradient after projection relative to before.", x,
                Axis.Linear("‖G_f′‖ / ‖G_f‖", 0, Math.Max(1, kept.Max()), about: 4));
            panel.Line(at, kept, "after", 1.5f);
            panels.Add(panel);
        }

        List<LegendEntry> legend = [new("retained", "remembering")];
        if (forget.Length > 0)
            legend.Add(new("forget", "forgetting"));
        if (panels.Count > 1)
            legend.AddRange([new("oracle", "cosine"), new("fired dot", "projection fired")]);
        return new(
            "figure-steps",
            "The run, step by step",
            (forget.Length > 0
                ? "The forgetting loss should come down while the remembering loss stays near where it began. "
                : "The loss on retained samples. ")
            + (steps.Any(step => step.ProjectionFired is not null)
                ? $"Projection fired in {Format.Count(projected)} of {Format.Count(steps.Count)} steps. A cosine that stays below "
                    + "zero means that forgetting and remembering pull apart; a kept norm near zero means that the projection took away "
                    + "the forgetting itself. "
                : "")
            + (groups.Count < steps.Count ? $"Each point is the mean of up to {groups[0].Length} steps." : ""),
            legend,
            panels);
    }

    static void Check(IReadOnlyList<StepRecord> steps)
    {
        for (var i = 0; i < steps.Count; i++)
        {
            var step = steps[i];
            double[] values = [step.RememberLoss, step.ForgetLoss ?? 0, step.Cosine ?? 0, step.KeptForgetNorm ?? 0];
            if (!values.All(double.IsFinite))
                throw new AuditInputException(
                    $"step {step.Step}: a recorded value is not finite; the run diverged, report its last good part");
            if (i > 0 && step.Step <= steps[i - 1].Step)
                throw new AuditInputException(
                    $"step {step.Step} follows step {steps[i - 1].Step}; give the steps once and in ascending order");
        }
    }
}
