namespace RegistryUnlearn.Auditing.Report;

/// <summary>A colour of a figure and what it stands for; the swatch is drawn by the style sheet.</summary>
sealed record LegendEntry(string Style, string Text);

/// <summary>Panels with one legend and a caption that says how to read them.</summary>
sealed record Figure(string Id, string Title, string Caption, IReadOnlyList<LegendEntry> Legend, IReadOnlyList<Panel> Panels)
{
    public void Write(Html html, int number)
    {
        html.Add($"<figure id=\"{Id}\" class=\"panels-{Panels.Count}\">");
        html.Add($"<h3><span class=\"number\">Figure {number}</span> {Title}</h3>");
        if (Legend.Count > 0)
        {
            html.Add($"<ul class=\"legend\">");
            foreach (var entry in Legend)
                html.Add($"<li><span class=\"swatch {entry.Style}\"></span>{entry.Text}</li>");
            html.Add($"</ul>");
        }

        html.Add($"<div class=\"panels\">");
        foreach (var panel in Panels)
            html.Add($"{panel.Render()}");
        html.Add($"</div><figcaption>{Caption}</figcaption></figure>");
    }
}
