using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace RegistryUnlearn.Registry;

/// <summary>Version numbers are 1 to 2147483647, written in decimal without leading zeros: one number has one folder name.</summary>
static class VersionNumber
{
    public static bool TryParse([NotNullWhen(true)] string? text, out int version) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out version) && version > 0 && text![0] is not '0';

    public static string Format(int version) => Check(version).ToString(CultureInfo.InvariantCulture);

    public static int Check(int version) => version > 0
        ? version
        : throw new ArgumentOutOfRangeException(nameof(version), version, "A version is a positive integer.");
}
