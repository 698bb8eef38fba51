namespace RegistryUnlearn.Worker;

/// <summary>Something given by the user cannot be used (exit code 2). All that is wrong with it is said at once.</summary>
/// <param name="place">The file or option that is meant.</param>
/// <param name="errors">At least one; each names the field and the remedy.</param>
public class InputException(string place, IReadOnlyList<string> errors, Exception? inner = null)
    : Exception(errors.Count == 1 ? $"{place}: {errors[0]}" : $"{place}: {errors.Count} errors\n  {string.Join("\n  ", errors)}", inner)
{
    public InputException(string place, string error, Exception? inner = null) : this(place, [error], inner)
    {
    }

    public IReadOnlyList<string> Errors { get; } = errors;
}
