using System.Collections;
using System.Globalization;

namespace RegistryUnlearn.Worker.Hosting;

/// <summary>
/// What every line about a job carries: as fields for machines, as <c>name=value</c> for people. Lines name the attempt from when it is
/// known on.
/// </summary>
/// <param name="job">The job's id; of a message about several, all of them.</param>
sealed class JobScope(string job) : IReadOnlyList<KeyValuePair<string, object>>
{
    /// <summary>The attempt under way, or the last one of a job that has ended; null while that is not known.</summary>
    public int? Attempt { get; set; }

    public int Count => Attempt is null ? 1 : 2;

    public KeyValuePair<string, object> this[int index] => index switch
    {
        0 => new("job", job),
        1 when Attempt is { } attempt => new("attempt", attempt),
        _ => throw new ArgumentOutOfRangeException(nameof(index)),
    };

    public IEnumerator<KeyValuePair<string, object>> GetEnumerator()
    {
        yield return this[0];
        if (Attempt is { } attempt)
            yield return new("attempt", attempt);
    }

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    public override string ToString() =>
        Attempt is { } attempt ? string.Create(CultureInfo.InvariantCulture, $"job={job} attempt={attempt}") : $"job={job}";
}
