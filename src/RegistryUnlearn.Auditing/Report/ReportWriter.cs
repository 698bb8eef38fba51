namespace RegistryUnlearn.Auditing.Report;

/// <summary>
/// Writes one self-contained page: no script, no outside resource, readable in light, dark, on a phone and on paper. Same input, same
/// bytes.
/// </summary>
public static class ReportWriter
{
    const string ByDefault = "The request sets none: these are the defaults. They refuse an untouched or ruined model; passing them is no "
        + "proof that enough was removed.";

    static readonly Markup Style = new(ReadStyle());

    /// <summary>The page as UTF-8 text with LF line ends; it is well-formed XML after the document type.</summary>
    public static string Write(ReportInput input)
    {
        var html = new Html();
        var title = $"Unlearning audit of {input.Record.Model}";
        html.Add($"<!DOCTYPE html>");
        html.Add($"<html lang=\"en\"><head><meta charset=\"utf-8\" />");
        html.Add($"<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\" />");
        html.Add($"<meta name=\"color-scheme\" content=\"light dark\" />");
        html.Add($"<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\" />");
        html.Add($"<title>{title}</title><style>{Style}</style></head><body><main>");
        WriteHead(html, input);
        WriteVerdict(html, input);
        html.Add($"<section id=\"results\"><h2>Results</h2>");
        html.Add($"<p class=\"lead\">{Counted(input.Result)}</p>");
        ResultTable.Write(html, input.Result);
        html.Add($"</section>");
        EstimateTable.Write(html, input.Result);
        AttackTable.Write(html, input.Result);
        html.Add($"<section id=\"figures\"><h2>Figures</h2>");
        var number = 0;
        foreach (var figure in Figures(input))
            figure.Write(html, ++number);
        html.Add($"</section>");
        WriteGates(html, input.Result);
        WriteGlossary(html);
        WriteRecord(html, input.Record);
        html.Add($"</main></body></html>");
        return html.ToString();
    }

    static IEnumerable<Figure> Figures(ReportInput input)
    {
        yield return LossFigure.Make(input);
        if (input.Result.Reference is not null)
            yield return RocFigure.Make(input);
        if (input.Result.Gaps.Count > 0)
            yield return GapFigure.Make(input.Result);
        if (input.Before.Forget.Confusion.Length > 0)
        {
            yield return ClassFigure.Make(input);
            yield return ConfusionFigure.Make(input);
        }

        if (input.Steps.Count > 0)
            yield return StepFigure.Make(input.Steps);
    }

    static void WriteHead(Html html, ReportInput input)
    {
        var (record, result) = (input.Record, input.Result);
        html.Add($"<header><p class=\"kicker\">Unlearning audit</p><h1>{record.Model}</h1>");
        html.Add($"<p class=\"origin\">made from <b>{record.Parent}</b> by <b>{record.Method}</b></p></header>");
        html.Add($"<dl class=\"tiles\">");
        Tile(html, result, MetricCatalogue.H, "Distance to retraining, H", "smaller is closer");
        Tile(html, result, MetricCatalogue.Accuracy(AuditSets.Forget), "Accuracy, forget", "");
        Tile(html, result, MetricCatalogue.Accuracy(AuditSets.Retained), "Accuracy, retained", "");
        if (result.Reference is { } reference)
        {
            Tile(html, result, MetricCatalogue.Accuracy(reference), $"Accuracy, {reference}", "");
            Tile(html, result, MetricCatalogue.Auc(reference), "Attack AUC", "0.5 is chance");
        }

        html.Add($"</dl>");
    }

    static void Tile(Html html, AuditResult result, string metric, string name, string hint)
    {
        if (result.After[metric] is null)
            return;
        var oracle = result.Oracles.FirstOrDefault(statistic => statistic.Metric == metric);
        html.Add($"<div><dt>{name}</dt><dd><b>{Format.Metric(result.After, metric)}</b>");
        html.Add($"<span>before {Format.Metric(result.Before, metric)}</span>");
        if (oracle is not null)
            html.Add($"<span>oracles {Format.Value(oracle.Mean, MetricCatalogue.Find(metric).Unit)}</span>");
        else if (hint.Length > 0)
            html.Add($"<span>{hint}</span>");
        html.Add($"</dd></div>");
    }

    static void WriteVerdict(Html html, ReportInput input)
    {
        var verdict = Verdict.Of(input.Result);
        html.Add($"<section id=\"verdict\"><h2>Verdict</h2><p class=\"headline\">{verdict.Headline}</p><ul>");
        foreach (var finding in verdict.Findings)
            html.Add($"<li>{finding}</li>");
        html.Add($"</ul><div class=\"pair\"><div id=\"limits\"><h3>What this audit cannot see</h3><ul>");
        foreach (var limit in verdict.Limits)
            html.Add($"<li>{limit}</li>");
        html.Add($"</ul></div><div id=\"parent\"><h3>What remains of the parent</h3>");
        html.Add($"<p>{input.Record.ParentPolicy}</p>");
        html.Add($"<p>The parent <b>{input.Record.Parent}</b> was trained on the forget set and still knows it, ");
        html.Add($"wherever a copy of it exists. Unlearning changes the new version only.</p></div></div></section>");
    }

    static string Counted(AuditResult result) =>
        "Measured on "
        + string.Join(", ", AuditSets.All.Where(result.Sets.ContainsKey).Select(set => $"{Format.Count(result.Sets[set])} {set}"))
        + " samples"
        + result.OracleCount switch
        {
            0 => ", without oracles.",
            1 => ", beside one oracle.",
            var count => $", beside {Format.Count(count)} oracles.",
        };

    static void WriteGates(Html html, AuditResult result)
    {
        html.Add($"<section id=\"gates\"><h2>Gates</h2>");
        if (result.Gates.Count == 0)
        {
            html.Add($"<p>No gates were set: nothing here was required to reach a threshold.</p></section>");
            return;
        }

        html.Add($"<p class=\"lead\">{(result.HasDefaultGates ? ByDefault : "As the request asks.")}</p>");
        html.Add($"<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Gates\"><table class=\"gates\">");
        html.Add($"<thead><tr><th scope=\"col\">metric</th>");
        html.Add($"<th scope=\"col\">required</th><th scope=\"col\">measured</th><th scope=\"col\">result</th></tr></thead><tbody>");
        foreach (var gate in result.Gates)
        {
            var metric = MetricCatalogue.Find(gate.Metric);
            var required = gate.Comparison == GateComparison.AtMost ? "at most " : "at least ";
            var outcome = gate.Passed ? "passed"
                : gate.MissedBy is { } by ? $"failed, missed by {Format.Value(by, Difference(metric.Unit))}"
                : "failed, not measured";
            html.Add($"<tr class=\"{(gate.Passed ? "passed" : "failed")}\">");
            html.Add($"<th scope=\"row\">{metric.Title}<small>{metric.Name}</small></th>");
            html.Add($"<td>{required}{Format.Value(gate.Threshold, metric.Unit)}</td>");
            html.Add($"<td>{Format.Value(gate.Value, metric.Unit)}</td><td class=\"outcome\">{outcome}</td></tr>");
        }

        html.Add($"</tbody></table></div></section>");
    }

    static MetricUnit Difference(MetricUnit unit) => unit == MetricUnit.Share ? MetricUnit.Points : unit;

    static void WriteRecord(Html html, ErasureRecord record)
    {
        List<RecordEntry> run =
        [
            new("New version", record.Model), new("Parent version", record.Parent), new("Job", record.JobId), new("Method", record.Method),
        ];
        if (record.Time is { } time)
            run.Add(new("Time", time));
        html.Add($"<section id=\"record\"><h2>Record</h2><div class=\"facts\">");
        foreach (var section in (IEnumerable<RecordSection>)[new("Run", run), .. record.Sections])
        {
            html.Add($"<div><h3>{section.Title}</h3><dl>");
            foreach (var entry in section.Entries)
                html.Add($"<div><dt>{entry.Name}</dt><dd>{entry.Value}</dd></div>");
            html.Add($"</dl></div>");
        }

        html.Add($"</div></section>");
    }

    static void WriteGlossary(Html html)
    {
        html.Add($"<section id=\"glossary\"><h2>Glossary</h2><dl>");
        foreach (var (term, meaning) in Glossary.Entries)
            html.Add($"<div><dt>{term}</dt><dd>{meaning}</dd></div>");
        html.Add($"</dl></section>");
    }

    static string ReadStyle()
    {
        using var stream = typeof(ReportWriter).Assembly.GetManifestResourceStream("report.css")!;
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd().ReplaceLineEndings("\n");
    }
}
