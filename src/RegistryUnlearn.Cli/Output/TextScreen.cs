using Spectre.Console;
using Cell = Spectre.Console.Text;

namespace RegistryUnlearn.Cli.Output;

/// <summary>Answers for people: lines and tables, drawn on a terminal, plain and aligned elsewhere.</summary>
public sealed class TextScreen(TextWriter output, bool isTerminal)
{
    public void Line(string text = "") => output.WriteLine(Printable.Of(text));

    /// <summary>Sentences a reader should know, each on a line.</summary>
    public void Notes(IEnumerable<string> notes)
    {
        foreach (var note in notes) Line($"Note: {note}");
    }

    public void Table(IReadOnlyList<string> headers, IEnumerable<IReadOnlyList<string>> rows)
    {
        IReadOnlyList<string>[] cells = [.. rows.Select(r => (IReadOnlyList<string>)[.. r.Select(Printable.Of)])];
        if (isTerminal) Draw(headers, cells);
        else Align([headers, .. cells]);
    }

    void Draw(IReadOnlyList<string> headers, IReadOnlyList<string>[] rows)
    {
        var table = new Table().Border(TableBorder.Rounded);
        foreach (var header in headers) table.AddColumn(new TableColumn(new Cell(header)));
        foreach (var row in rows) table.AddRow(row.Select(c => new Cell(c)));
        AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(output) }).Write(table);
    }

    void Align(IReadOnlyList<string>[] rows)
    {
        int[] widths = [.. rows[0].Select((_, column) => rows.Max(r => r[column].Length))];
        foreach (var row in rows)
            output.WriteLine(string.Join("  ", row.Select((cell, column) => cell.PadRight(widths[column]))).TrimEnd());
    }
}
