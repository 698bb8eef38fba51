using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using System.Xml;
using System.Xml.Linq;
using RegistryUnlearn.Auditing.Report;

namespace RegistryUnlearn.Auditing.Tests;

public partial class ReportTests
{
    static readonly XNamespace Svg = "http://www.w3.org/2000/svg";
    static readonly ReportInput Sample = SampleReport.Full();

    [Fact]
    public void Sample_has_every_section_and_figure_and_is_well_formed()
    {
        var page = ReportWriter.Write(Sample);
        var folder = Directory.CreateDirectory(Path.Combine(AppContext.BaseDirectory, "TestResults"));
        File.WriteAllText(Path.Combine(folder.FullName, "report.html"), page);
        File.WriteAllBytes(Path.Combine(folder.FullName, "metrics.json"), Sample.Result.ToJson());

        var html = Parse(page);
        string[] sections = ["verdict", "results", "estimates", "attacks", "figures", "gates", "glossary", "record"];
        Assert.Equal(sections, html.Descendants("section").Select(section => section.Attribute("id")!.Value));
        string[] figures = ["figure-losses", "figure-roc", "figure-gaps", "figure-classes", "figure-confusion", "figure-steps"];
        Assert.Equal(figures, html.Descendants("figure").Select(figure => figure.Attribute("id")!.Value));
        Assert.Equal(3 + 1 + 2 + 3 + 3 + 3, html.Descendants(Svg + "svg").Count());
        Assert.All(html.Descendants("figure"), figure => Assert.NotEmpty(figure.Element("figcaption")!.Value));
        Assert.All(html.Descendants(Svg + "svg"), svg => Assert.NotEmpty(svg.Element(Svg + "desc")!.Value));
        Assert.True(page.Length < 400_000, $"{page.Length} characters are much for a page that travels with every version");
    }

    [Fact]
    public void Page_names_what_it_is_and_is_not()
    {
        var page = Parse(ReportWriter.Write(Sample)).Root!.Value;
        Assert.Contains("not a guarantee", page);
        Assert.Contains(Sample.Record.ParentPolicy, page);
        Assert.Contains("missed by", page);
        Assert.DoesNotContain("certif", page, StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public void Page_loads_and_runs_nothing()
    {
        var html = Parse(ReportWriter.Write(Sample));
        Assert.Empty(html.Descendants("script"));
        Assert.Empty(html.Descendants("link"));
        Assert.Empty(html.Descendants("img"));
        Assert.Empty(html.Descendants(Svg + "image"));
        Assert.DoesNotContain(
            html.Descendants().Attributes(),
            a => a.Name.LocalName is "src" or "href" || a.Name.LocalName.StartsWith("on", StringComparison.Ordinal));
        Assert.DoesNotContain("url(", html.Descendants("style").Single().Value);
    }

    [Fact]
    public void Ids_are_unique_and_every_reference_to_one_resolves()
    {
        var html = Parse(ReportWriter.Write(Sample));
        List<string> ids = [.. html.Descendants().Attributes("id").Select(id => id.Value)];
        Assert.Equal(ids.Count, ids.Distinct().Count());
        var references = html.Descendants().Attributes("clip-path").Select(a => Reference().Match(a.Value).Groups[1].Value)
            .Concat(html.Descendants().Attributes("aria-labelledby").SelectMany(a => a.Value.Split(' '))).ToList();
        Assert.NotEmpty(references);
        Assert.All(references, reference => Assert.Contains(reference, ids));
    }

    [Fact]
    public void Colours_are_left_to_the_style_sheet()
    {
        var html = Parse(ReportWriter.Write(Sample));
        var style = html.Descendants("style").Single().Value;
        var drawn = html.Descendants(Svg + "g").Descendants().ToList();
        Assert.NotEmpty(drawn);
        Assert.All(drawn, element => Assert.Contains($".{element.Attribute("class")!.Value} {{", style));
        Assert.DoesNotContain(drawn.Attributes(), a => a.Name.LocalName is "fill" or "stroke" && a.Value != "none");
    }

    [Fact]
    public void No_text_comes_from_the_renderer()
    {
        // The renderer would need installed fonts; every text is ours, in the reader's font.
        var texts = Parse(ReportWriter.Write(Sample)).Descendants(Svg + "text").ToList();
        Assert.NotEmpty(texts);
        const string styles = "^(panel-title|axis-title|tick|cell|cell deep|bar-name|bar-value|bar-none)$";
        Assert.All(texts, text => Assert.Matches(styles, text.Attribute("class")!.Value));
        Assert.All(texts, text => Assert.Null(text.Attribute("font-family")));
    }

    [Fact]
    public void Page_has_the_forget_set_as_numbers_only()
    {
        // Sorted losses are kept in the summaries; the page shows their histogram and not one of them.
        var page = ReportWriter.Write(Sample);
        Assert.All(Sample.After.Forget.Losses, loss => Assert.DoesNotContain(loss.ToString("R", CultureInfo.InvariantCulture), page));
        var json = Encoding.UTF8.GetString(Sample.Result.ToJson());
        Assert.All(Sample.After.Forget.Losses, loss => Assert.DoesNotContain(loss.ToString("R", CultureInfo.InvariantCulture), json));
    }

    [Fact]
    public void Same_input_same_bytes() => Assert.Equal(ReportWriter.Write(Sample), ReportWriter.Write(SampleReport.Full()));

    [Theory]
    [InlineData("<script>alert(1)</script>")]
    [InlineData("\"><img src=x onerror=alert(1)>")]
    [InlineData("a & b 'c' </style> ]]> \u0000\u0007 {0}")]
    public void Hostile_strings_stay_text(string hostile)
    {
        AuditedModel Named(ModelSummary summary) => new(hostile, summary);
        var result = Auditor.Audit(
            Named(Sample.Before),
            Named(Sample.After),
            [Named(Sample.After)],
            [new(hostile, Sample.Oracles[0].Summary)],
            [],
            new(Resamples: 5));
        var record = new ErasureRecord(
            hostile, hostile, hostile, hostile, hostile, [new(hostile, [new(hostile, hostile)])], hostile);
        var page = ReportWriter.Write(Sample with { Result = result, Record = record });

        var html = Parse(page);
        var expected = hostile.Replace('\0', '\uFFFD').Replace('\a', '\uFFFD');
        Assert.Equal(expected, html.Descendants("h1").Single().Value);
        Assert.Equal(expected, html.Descendants("tr").Single(row => row.Attribute("class")?.Value == "comparison").Element("th")!.Value);
        Assert.Empty(html.Descendants("script"));
        Assert.Empty(html.Descendants("img"));
    }

    [Fact]
    public void Page_without_oracles_unseen_data_and_steps_says_so()
    {
        var html = Parse(ReportWriter.Write(SampleReport.WithoutOraclesOrUnseenData()));
        string[] figures = ["figure-losses", "figure-classes", "figure-confusion"];
        Assert.Equal(figures, html.Descendants("figure").Select(figure => figure.Attribute("id")!.Value));
        var text = html.Root!.Value;
        Assert.Contains("cannot be judged", text);
        Assert.Contains("There are no oracles", text);
        Assert.Contains("No gates were set", text);
        Assert.DoesNotContain("against retraining", text);
    }

    [Fact]
    public void Steps_that_diverged_or_repeat_are_refused()
    {
        StepRecord[] diverged = [new(0, 1, 1), new(1, double.NaN, 1)];
        StepRecord[] repeated = [new(3, 1, 1), new(3, 1, 1)];
        Assert.Contains("step 1: ", Assert.Throws<AuditInputException>(() => ReportWriter.Write(Sample with { Steps = diverged })).Message);
        Assert.Contains(
            "follows step 3", Assert.Throws<AuditInputException>(() => ReportWriter.Write(Sample with { Steps = repeated })).Message);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(5000)]
    public void Any_number_of_steps_fits_the_figure(int count)
    {
        var steps = Enumerable.Range(0, count).Select(step => new StepRecord(step, 1, 2)).ToList();
        var page = ReportWriter.Write(Sample with { Steps = steps });
        Assert.Single(
            Parse(page).Descendants(Svg + "svg"),
            svg => svg.Attribute("id")!.Value.StartsWith("steps-", StringComparison.Ordinal));
        Assert.True(page.Length < 400_000);
    }

    [Theory]
    [InlineData(1.0, "no closer")]
    [InlineData(.9, "Most of the influence")]
    [InlineData(.5, "Part of the influence")]
    [InlineData(.15, "behaves much like")]
    public void Headline_follows_the_distance_to_the_oracles(double leak, string words)
    {
        var after = leak == 1 ? Sample.Before : ModelSummary.Of(SampleAudit.Outputs("after", leak, seed: 9));
        var result = Auditor.Audit(new("b", Sample.Before), new("a", after), [], Sample.Oracles, [], new(Resamples: 5));
        Assert.Contains(words, Verdict.Of(result).Headline);
    }

    [Fact]
    public void A_genuine_retrain_passes_and_an_overdone_one_is_named()
    {
        var retrain = ModelSummary.Of(SampleAudit.Outputs("after", leak: 0, seed: 105));
        Assert.Contains("cannot be told", Headline(retrain));
        Assert.Contains("more was removed", Headline(ModelSummary.Of(SampleAudit.Outputs("after", leak: -.6, seed: 9))));

        static string Headline(ModelSummary after) =>
            Verdict.Of(Auditor.Audit(new("b", Sample.Before), new("a", after), [], Sample.Oracles, [], new(Resamples: 5))).Headline;
    }

    [Fact]
    public void Lost_accuracy_is_said_beside_the_verdict()
    {
        var retained = Sample.After.Retained with { Accuracy = Sample.Before.Retained.Accuracy - .25 };
        var result = Auditor.Audit(
            new("b", Sample.Before), new("a", Sample.After with { Retained = retained }), [], Sample.Oracles, [], new(Resamples: 5));
        Assert.EndsWith(" It costs usefulness: accuracy fell by 25.0\u202Fpoints on the retained set.", Verdict.Of(result).Headline);
        Assert.DoesNotContain("usefulness", Verdict.Of(Sample.Result).Headline);
    }

    static XDocument Parse(string page)
    {
        using var reader = XmlReader.Create(new StringReader(page), new XmlReaderSettings { DtdProcessing = DtdProcessing.Ignore });
        return XDocument.Load(reader);
    }

    [GeneratedRegex(@"^url\(#(.+)\)$")]
    private static partial Regex Reference();
}
