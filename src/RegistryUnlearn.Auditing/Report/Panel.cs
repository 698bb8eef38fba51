using System.Globalization;
using System.Xml.Linq;
using ScottPlot;

namespace RegistryUnlearn.Auditing.Report;

/// <summary>
/// One small plot. ScottPlot draws the geometry; all text is SVG text in the reader's own font, placed here, because the renderer would
/// need
/// installed fonts and give other bytes on every machine. Colours are class names, so that the page's style sheet decides them for light,
/// dark
/// and paper: s-NAME for strokes, f-NAME for fills.
/// </summary>
sealed class Panel
{
    static readonly XNamespace Svg = "http://www.w3.org/2000/svg";

    // Drawn colours are #0001NN, NN an index into the styles; nothing else in a panel has such a colour.
    const string Key = "#0001";

    readonly string _id;
    readonly string _title;
    readonly string _description;
    readonly int _width;
    readonly int _height;
    readonly Axis _x;
    readonly Axis _y;
    readonly PixelPadding _padding;
    readonly Plot _plot = new();
    readonly List<string> _styles = [];
    readonly List<XElement> _texts = [];

    /// <param name="id">Unique within the page.</param>
    /// <param name="description">What the panel shows, for readers who cannot see it.</param>
    public Panel(string id, string title, string description, Axis x, Axis y, int width = 340, int height = 236, int left = 44)
    {
        (_id, _title, _description, _x, _y, _width, _height) = (id, title, description, x, y, width, height);
        _padding = new(left, 12, 42, y.Title.Length > 0 ? 40 : 26);
        _plot.Axes.SetLimits(x.Min, x.Max, y.Min, y.Max);
        _plot.FigureBackground.Color = Colors.Transparent;
        _plot.DataBackground.Color = Colors.Transparent;
        _plot.Axes.Frameless();
        _plot.HideGrid();
        _plot.Layout.Fixed(_padding);
        Grid();
    }

    public void Line(IReadOnlyList<double> xs, IReadOnlyList<double> ys, string style, float width = 2)
    {
        var line = _plot.Add.ScatterLine(xs.ToArray(), ys.ToArray(), Paint(style));
        line.LineWidth = width;
    }

    public void Area(IReadOnlyList<double> xs, IReadOnlyList<double> ys, double floor, string style, double opacity)
    {
        var area = _plot.Add.FillY([.. xs], [.. xs.Select(_ => floor)], [.. ys]);
        area.FillColor = Paint(style).WithAlpha(opacity);
        area.LineWidth = 0;
    }

    public void Rectangle(double left, double right, double bottom, double top, string style, double opacity = 1)
    {
        var rectangle = _plot.Add.Rectangle(left, right, bottom, top);
        rectangle.FillColor = Paint(style).WithAlpha(opacity);
        rectangle.LineWidth = 0;
    }

    public void Dots(IReadOnlyList<double> xs, IReadOnlyList<double> ys, string style, float size = 4)
    {
        if (xs.Count > 0)
            _plot.Add.Markers(xs.ToArray(), ys.ToArray(), MarkerShape.FilledCircle, size, Paint(style));
    }

    /// <summary>Writes text at data coordinates, moved by pixels.</summary>
    public void Text(double x, double y, string text, string style, string anchor = "start", double dx = 0, double dy = 0) =>
        _texts.Add(Label(PixelX(x) + dx, PixelY(y) + dy, text, style, anchor));

    /// <summary>The panel as an SVG element to be put into a page.</summary>
    public Markup Render()
    {
        var drawing = XElement.Parse(_plot.GetSvgXml(_width, _height));
        var clip = $"{_id}-clip";
        var layers = new XElement(Svg + "g", new XAttribute("clip-path", $"url(#{clip})"));
        foreach (var element in drawing.Elements().Where(element => element.Name != Svg + "clipPath"))
            layers.Add(element.Attribute("clip-path") is null ? [element] : element.Elements());
        foreach (var element in layers.Descendants())
            Restyle(element);

        var page = new XElement(
            Svg + "svg",
            new XAttribute("id", _id),
            new XAttribute("viewBox", $"0 0 {_width} {_height}"),
            new XAttribute("role", "img"),
            new XAttribute("aria-labelledby", $"{_id}-title {_id}-desc"),
            new XElement(Svg + "title", new XAttribute("id", $"{_id}-title"), _title),
            new XElement(Svg + "desc", new XAttribute("id", $"{_id}-desc"), _description),
            new XElement(
                Svg + "clipPath",
                new XAttribute("id", clip),
                new XElement(
                    Svg + "rect",
                    Number("x", _padding.Left - 1),
                    Number("y", _padding.Top - 3),
                    Number("width", _width - _padding.Left - _padding.Right + 4),
                    Number("height", _height - _padding.Top - _padding.Bottom + 4))),
            layers,
            AxisTexts(),
            _texts);
        return new(page.ToString(SaveOptions.DisableFormatting));
    }

    Color Paint(string style)
    {
        var index = _styles.IndexOf(style);
        if (index < 0)
        {
            index = _styles.Count;
            _styles.Add(style);
        }

        return new(0, 1, checked((byte)index));
    }

    void Restyle(XElement element)
    {
        foreach (var (name, prefix) in (ReadOnlySpan<(string, string)>)[("stroke", "s-"), ("fill", "f-")])
            if (element.Attribute(name) is { } color && color.Value.StartsWith(Key, StringComparison.Ordinal))
            {
                var index = int.Parse(color.Value.AsSpan(Key.Length), NumberStyles.HexNumber, CultureInfo.InvariantCulture);
                color.Remove();
                element.SetAttributeValue("class", prefix + _styles[index]);
            }

        if (element.Attribute("fill-opacity") is { } opacity)
            opacity.Value = Math.Round(double.Parse(opacity.Value, CultureInfo.InvariantCulture), 3).ToString(CultureInfo.InvariantCulture);
        element.Attribute("stroke-miterlimit")?.Remove();
    }

    void Grid()
    {
        foreach (var tick in _y.Ticks)
            Line([_x.Min, _x.Max], [tick.Position, tick.Position], "grid", 1);
    }

    IEnumerable<XElement> AxisTexts()
    {
        yield return Label(0, 12, _title, "panel-title", "start");
        if (_y.Title.Length > 0)
            yield return Label(0, 29, _y.Title, "axis-title", "start");
        foreach (var tick in _y.Ticks.Where(tick => tick.Label.Length > 0))
            yield return Label(_padding.Left - 6, PixelY(tick.Position) + 3.5, tick.Label, "tick", "end");
        foreach (var tick in _x.Ticks.Where(tick => tick.Label.Length > 0))
            yield return Label(PixelX(tick.Position), _height - _padding.Bottom + 15, tick.Label, "tick", "middle");
        yield return Label((_padding.Left + _width - _padding.Right) / 2, _height - 6, _x.Title, "axis-title", "middle");
    }

    static XElement Label(double x, double y, string text, string style, string anchor) => new(
        Svg + "text", Number("x", x), Number("y", y), new XAttribute("class", style), new XAttribute("text-anchor", anchor), text);

    double PixelX(double x) => _padding.Left + ((x - _x.Min) / (_x.Max - _x.Min) * (_width - _padding.Left - _padding.Right));

    double PixelY(double y) => _height - _padding.Bottom - ((y - _y.Min) / (_y.Max - _y.Min) * (_height - _padding.Top - _padding.Bottom));

    static XAttribute Number(string name, double value) => new(name, Math.Round(value, 2).ToString(CultureInfo.InvariantCulture));
}
