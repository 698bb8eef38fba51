using System.Text.Json;

namespace RegistryUnlearn.Worker.Files;

/// <summary>JSON files that users write.</summary>
public static class JsonFile
{
    /// <exception cref="InputException">The file is missing or not valid JSON, or names a field twice.</exception>
    public static JsonDocument Parse(string path)
    {
        try
        {
            return JsonDocument.Parse(File.ReadAllBytes(path), new() { AllowDuplicateProperties = false });
        }
        catch (JsonException e)
        {
            throw new InputException(path, $"is not valid JSON: {e.Message}", e);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new InputException(path, "does not exist; check the path", e);
        }
    }
}
