using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Unicode;

namespace RegistryUnlearn.Auditing.Report;

/// <summary>Text that is markup already and is inserted as it is.</summary>
readonly record struct Markup(string Text);

/// <summary>
/// Collects a page. In an interpolated string the literal parts are markup and every value is encoded, so no caller can forget to.
/// </summary>
sealed class Html
{
    static readonly HtmlEncoder Encoder = HtmlEncoder.Create(UnicodeRanges.All);

    readonly StringBuilder _page = new();

    public Html Add([InterpolatedStringHandlerArgument("")] Handler markup)
    {
        _page.Append('\n');
        return this;
    }

    public override string ToString() => _page.ToString();

    public static Markup Of(Action<Html> write)
    {
        var html = new Html();
        write(html);
        return new(html.ToString());
    }

    /// <summary>Encodes text for element content and for quoted attributes; control characters become U+FFFD.</summary>
    public static string Encode(string text)
    {
        if (text.Any(c => char.IsControl(c) && c is not ('\n' or '\t')))
            text = string.Concat(text.Select(c => char.IsControl(c) && c is not ('\n' or '\t') ? '\uFFFD' : c));
        return Encoder.Encode(text);
    }

    [InterpolatedStringHandler]
    public readonly ref struct Handler
    {
        readonly StringBuilder _page;

        public Handler(int literalLength, int formattedCount, Html html) => _page = html._page;

        public void AppendLiteral(string markup) => _page.Append(markup);

        public void AppendFormatted(Markup markup) => _page.Append(markup.Text);

        public void AppendFormatted(string? text) => _page.Append(Encode(text ?? ""));

        public void AppendFormatted(int number) => _page.Append(number.ToString(CultureInfo.InvariantCulture));
    }
}
