using System.IO.Enumeration;

namespace RegistryUnlearn.Onnx.Models;

/// <summary>
/// Which parameters a request wants trained. A pattern with * (any characters) or ? (one character) selects among the detected parameters;
/// a pattern without names one float tensor, detected or not. Case counts.
/// </summary>
/// <param name="Include">Empty: all that are detected.</param>
/// <param name="Exclude">Taken away from these.</param>
public sealed record ParameterPatterns(IReadOnlyList<string> Include, IReadOnlyList<string> Exclude)
{
    /// <summary>All that are detected.</summary>
    public static ParameterPatterns Default { get; } = new([], []);

    internal static bool IsExact(string pattern) => !pattern.AsSpan().ContainsAny('*', '?');

    internal static bool Matches(string pattern, string name) => IsExact(pattern)
        ? pattern == name
        : FileSystemName.MatchesSimpleExpression(pattern.Replace(@"\", @"\\"), name, ignoreCase: false);
}
