namespace RegistryUnlearn.Lineage.Tests;

/// <summary>Published JSON schemas beside the repository, applied by Python's jsonschema.</summary>
static class JsonSchemas
{
    const string Script = """
        import json, sys
        from jsonschema.validators import validator_for
        from referencing import Registry, Resource
        schemas = [json.load(open(p, encoding='utf-8')) for p in sys.argv[2:]]
        registry = Registry().with_resources((s['$id'], Resource.from_contents(s)) for s in schemas)
        document = json.load(open(sys.argv[1], encoding='utf-8'))
        validator = validator_for(schemas[0])(schemas[0], registry=registry)
        errors = [f"{e.json_path}: {e.message}" for e in validator.iter_errors(document)]
        print("\n".join(errors))
        sys.exit(1 if errors else 0)
        """;

    /// <summary>Fails with what the first schema says against the document; skipped where schemas or jsonschema are absent.</summary>
    /// <param name="schemas">Paths below <c>../shared</c>; the others are those that the first refers to.</param>
    public static void Check(ReadOnlySpan<byte> document, params string[] schemas)
    {
        string[] paths = [.. schemas.Select(Repository.Shared)];
        Assert.SkipUnless(ExternalCommand.Run("python3", "-c", "import jsonschema, referencing").Code is 0,
            "Python's jsonschema is not installed");
        var file = Path.GetTempFileName();
        try
        {
            File.WriteAllBytes(file, document);
            Assert.Equal((0, "\n"), ExternalCommand.Run("python3", ["-c", Script, file, .. paths]));
        }
        finally
        {
            File.Delete(file);
        }
    }
}
