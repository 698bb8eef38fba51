using System.Globalization;

namespace RegistryUnlearn.Unlearning.Data;

/// <summary>Reads the few Python literals that NPY headers consist of, left to right; blanks between them are skipped.</summary>
ref struct PythonLiteral(ReadOnlySpan<char> text)
{
    ReadOnlySpan<char> rest = text;

    /// <summary>The next character that is not blank; zero at the end.</summary>
    public char Peek()
    {
        rest = rest.TrimStart(" \t\r\n");
        return rest.IsEmpty ? '\0' : rest[0];
    }

    public bool Accept(char expected)
    {
        if (Peek() != expected)
            return false;
        rest = rest[1..];
        return true;
    }

    public void Expect(char expected)
    {
        if (!Accept(expected))
            throw new FormatException($"its header lacks a '{expected}'");
    }

    /// <summary>A quoted text without escapes.</summary>
    public string Text()
    {
        var quote = Peek();
        var length = quote is '\'' or '"' ? rest[1..].IndexOf(quote) : -1;
        if (length < 0 || rest.Slice(1, length).Contains('\\'))
            throw new FormatException("its header lacks a quoted text");
        var value = rest.Slice(1, length).ToString();
        rest = rest[(length + 2)..];
        return value;
    }

    public bool Boolean()
    {
        Peek();
        foreach (var (word, value) in (ReadOnlySpan<(string, bool)>)[("True", true), ("False", false)])
        {
            if (!rest.StartsWith(word))
                continue;
            rest = rest[word.Length..];
            return value;
        }

        throw new FormatException("its header lacks True or False");
    }

    /// <summary>A tuple of whole numbers, none negative; <c>()</c> is a scalar's shape. Python 2 wrote numbers as <c>3L</c>.</summary>
    public long[] Tuple(int maxLength)
    {
        var values = new List<long>();
        Expect('(');
        while (!Accept(')'))
        {
            Peek();
            var end = rest.IndexOfAnyExceptInRange('0', '9');
            if (end <= 0 || !long.TryParse(rest[..end], NumberStyles.None, CultureInfo.InvariantCulture, out var value))
                throw new FormatException("its shape holds something that is not a whole number of 64 bits");
            values.Add(value);
            rest = rest[end..];
            Accept('L');
            if (values.Count > maxLength)
                throw new FormatException($"its shape has more than {maxLength} dimensions");
            if (Peek() is not ')')
                Expect(',');
        }

        return [.. values];
    }

    public void End()
    {
        if (Peek() is not '\0')
            throw new FormatException("its header goes on after the dictionary");
    }
}
