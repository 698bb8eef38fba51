namespace RegistryUnlearn.Auditing.Report;

/// <summary>What was measured without oracles: one row per estimate, a column per model, and how to read it.</summary>
static class EstimateTable
{
    static readonly (string Metric, string Meaning)[] Rows =
    [
        (MetricCatalogue.Auc(MetricCatalogue.Matched),
            "Each forget sample against unseen ones of its true class under the label it was trained with. 0.5: like unseen; above: still "
            + "known; below: less known than unseen."),
        (MetricCatalogue.Ks(MetricCatalogue.Matched), "Distance of the two distributions of losses, classes weighted alike."),
        (MetricCatalogue.RelearnRatio,
            "Steps until the forget set has the parent's loss again, divided by those of matched unseen samples. 1: learned like something "
            + "new; near 0: it was not gone."),
        (MetricCatalogue.NeighbourAuc,
            "Whether unseen samples near forgotten ones lost more confidence than others of the same label and confidence. 0.5: no."),
        (MetricCatalogue.Change, "Mean change of the logit-scaled confidence on the forget set. 0: nothing was done."),
    ];

    public static void Write(Html html, AuditResult result)
    {
        var models = result.Rows.Where(row => row.Kind != RowKind.Oracle).ToList();
        var shown = Rows.Where(row => models.Any(model => model[row.Metric] is not null)).ToList();
        if (shown.Count == 0)
            return;
        html.Add($"<section id=\"estimates\"><h2>Without oracles</h2><p class=\"lead\">");
        html.Add($"Unseen samples stand for a retrained model. Each number can show that something remains; none shows that nothing ");
        html.Add($"does, and none knows whether the forget set is harder than its classes.</p>");
        html.Add($"<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Estimates without oracles\">");
        html.Add($"<table class=\"estimates\">");
        html.Add($"<thead><tr><th scope=\"col\">estimate</th>");
        foreach (var model in models)
            html.Add($"<th scope=\"col\">{model.Name}</th>");
        html.Add($"<th scope=\"col\">how to read it</th></tr></thead><tbody>");
        foreach (var (metric, meaning) in shown)
        {
            html.Add($"<tr><th scope=\"row\">{MetricCatalogue.Find(metric).Title}</th>");
            foreach (var model in models)
                html.Add($"<td>{Format.Metric(model, metric)}{Interval(model, metric)}</td>");
            html.Add($"<td class=\"words\">{meaning}</td></tr>");
        }

        html.Add($"</tbody></table></div></section>");
    }

    static Markup Interval(AuditRow row, string metric) => row[$"{metric}-low"] is not { } low || row[$"{metric}-high"] is not { } high
        ? new("")
        : Html.Of(html => html.Add($"<small>{Format.Number(low)}–{Format.Number(high)}</small>"));
}
