using System.Collections;
using System.Globalization;

namespace RegistryUnlearn.Worker.Hosting;

/// <summary>A name and a value on every line of a scope: as fields for machines, as <c>name=value</c> for people.</summary>
sealed class LogScope(string name, object value) : IReadOnlyList<KeyValuePair<string, object>>
{
    public int Count => 1;

    public KeyValuePair<string, object> this[int index] => new(name, value);

    public IEnumerator<KeyValuePair<string, object>> GetEnumerator()
    {
        yield return this[0];
    }

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{name}={value}");
}
