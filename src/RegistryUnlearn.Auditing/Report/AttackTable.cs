namespace RegistryUnlearn.Auditing.Report;

/// <summary>Attacks by sample with the models of a pool, and how unlearned models compare with oracles.</summary>
static class AttackTable
{
    static readonly Dictionary<string, string> Titles = new()
    {
        ["loss"] = "loss threshold",
        ["confidence"] = "logit-scaled confidence",
        ["rmia"] = "RMIA",
        ["lira"] = "LiRA",
    };

    public static void Write(Html html, AuditResult result)
    {
        if (result.Pool is not { } pool)
            return;
        html.Add($"<section id=\"attacks\"><h2>Sample by sample</h2><p class=\"lead\">{Counted(pool)}</p>");
        if (pool.Attacks.Count > 0)
            WriteTable(html, pool);
        html.Add($"<ul class=\"plain\">");
        foreach (var sentence in Sentences(pool))
            html.Add($"<li>{sentence}</li>");
        html.Add($"</ul></section>");
    }

    static string Counted(PoolFindings pool) =>
        $"With a pool of {Format.Count(pool.Oracles)} oracles, {Format.Count(pool.References)} reference models and "
        + $"{Format.Count(pool.Unlearned)} unlearned ones. RMIA and LiRA judge each sample by what models that never saw it say of it.";

    static void WriteTable(Html html, PoolFindings pool)
    {
        html.Add($"<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Attacks\"><table class=\"estimates\"><thead><tr>");
        html.Add($"<th scope=\"col\">attack</th><th scope=\"col\">model</th><th scope=\"col\">AUC</th>");
        foreach (var rate in pool.Attacks[0].Rates)
            html.Add($"<th scope=\"col\">TPR at {Format.Value(rate.FalsePositiveRate, MetricUnit.Share)} FPR</th>");
        html.Add($"</tr></thead><tbody>");
        foreach (var attack in PoolAudit.Attacks.Where(name => pool.Attacks.Any(a => a.Attack == name)))
        {
            foreach (var finding in pool.Attacks.Where(a => a.Attack == attack && a.Kind != RowKind.Oracle))
            {
                html.Add($"<tr class=\"{(finding.Kind == RowKind.After ? "after" : "before")}\"><th scope=\"row\">{Titles[attack]}</th>");
                html.Add($"<td>{finding.Model}</td><td>{Format.Number(finding.Auc)}");
                html.Add($"<small>{Format.Number(finding.AucLow)}–{Format.Number(finding.AucHigh)}</small></td>");
                foreach (var rate in finding.Rates)
                {
                    html.Add($"<td>{Format.Value(rate.TruePositiveRate, MetricUnit.Share)}{(rate.IsResolved ? "" : " *")}");
                    html.Add($"<small>{Format.Value(rate.Low, MetricUnit.Share)}–{Format.Value(rate.High, MetricUnit.Share)}</small></td>");
                }

                html.Add($"</tr>");
            }

            WriteOracles(html, attack, [.. pool.Attacks.Where(a => a.Attack == attack && a.Kind == RowKind.Oracle)]);
        }

        html.Add($"</tbody></table></div>");
    }

    static void WriteOracles(Html html, string attack, IReadOnlyList<AttackFinding> oracles)
    {
        if (oracles.Count == 0)
            return;
        html.Add($"<tr class=\"oracle\"><th scope=\"row\">{Titles[attack]}</th><td>{Format.Count(oracles.Count)} oracles</td>");
        html.Add($"<td>{Format.Number(oracles.Average(o => o.Auc))}");
        html.Add($"<small>{Format.Number(oracles.Min(o => o.Auc))}–{Format.Number(oracles.Max(o => o.Auc))}</small></td>");
        for (var i = 0; i < oracles[0].Rates.Count; i++)
        {
            double[] rates = [.. oracles.Select(o => o.Rates[i].TruePositiveRate)];
            html.Add($"<td>{Format.Value(rates.Average(), MetricUnit.Share)}");
            html.Add($"<small>{Format.Value(rates.Min(), MetricUnit.Share)}–{Format.Value(rates.Max(), MetricUnit.Share)}</small></td>");
        }

        html.Add($"</tr>");
    }

    static IEnumerable<string> Sentences(PoolFindings pool)
    {
        if (pool.Attacks.SelectMany(a => a.Rates).Any(rate => !rate.IsResolved))
            yield return "* There are fewer unseen samples than one per false alarm: the number of samples cannot resolve this rate, and "
                + "the true one lies lower than printed.";
        if (pool.Attacks.Count > 0)
            yield return "Small figures: the bootstrap interval of an AUC, the exact (Clopper–Pearson) interval of a rate, and the range "
                + "of the oracles.";
        if (pool.ULira is { } told)
            yield return told.BalancedAccuracy is { } accuracy
                ? $"U-LiRA: models that were trained and unlearned alike are told from oracles, sample by sample, in "
                    + $"{Format.Value(accuracy, MetricUnit.Share)} of the cases; 50\u202F% is a guess."
                : $"U-LiRA gives no number: the unlearned models are {Format.Number(told.LostPoints)} points less accurate than the "
                    + $"oracles, and more than {Format.Number(PoolFindings.AllowedPoints)} are no privacy but damage.";
        if (pool.Klom is { } klom)
            yield return $"KLoM: the margins of the unlearned models diverge from the oracles' by {Format.Number(klom.Mean)} nats on "
                + "average"
                + (klom.ControlMean is { } control
                    ? $"; half of the oracles from the other half by {Format.Number(control)}, which is chance for so few models."
                    : ".");
    }
}
