using RegistryUnlearn.Unlearning.Methods;
using RegistryUnlearn.Unlearning.Methods.Retrain;
using RegistryUnlearn.Worker.Files;

namespace RegistryUnlearn.Worker.Oracles;

public enum Augmentation
{
    /// <summary>Samples as they are.</summary>
    None,
}

/// <summary>How many models of which kind a pool is to have, and how they are trained.</summary>
/// <param name="Oracles">Models trained on the retained set alone, 0..1000</param>
/// <param name="References">
/// Models trained on random halves of the whole training set, the forget set included, 0..1000; two and two complement each other, so that
/// every sample is known to half of them
/// </param>
/// <param name="Unlearned">Models trained on the whole training set, then unlearned by the request's method, 0..1000</param>
/// <param name="Seed">Model i of a kind has this seed + i</param>
/// <param name="Training">Options of the method <c>retrain</c>, which trains them all from the start</param>
public sealed record PoolRecipe(
    int Oracles, int References, int Unlearned, int Seed, Augmentation Augmentation, RetrainOptions Training)
{
    const int Most = 1000;

    /// <summary>Reads a recipe file: the counts, <c>seed</c>, <c>augmentation</c> and the options of <c>retrain</c> on one level.</summary>
    /// <exception cref="InputException">The file is missing, no JSON, or holds what it should not; all of it at once.</exception>
    public static PoolRecipe Load(string path)
    {
        using var document = JsonFile.Parse(path);
        var errors = new List<string>();
        var reader = new OptionReader(document.RootElement, "recipe", errors);
        var recipe = new PoolRecipe(
            reader.Int("oracles", 8, 0, Most), reader.Int("references", 0, 0, Most), reader.Int("unlearned", 0, 0, Most),
            reader.Int("seed", 1, 0, int.MaxValue), reader.Choice("augmentation", Augmentation.None),
            (RetrainOptions)new RetrainMethod().ReadOptions(reader));
        if (recipe.References % 2 != 0)
            errors.Add($"recipe.references is {recipe.References}; give an even number, since two and two complement each other");
        if (recipe.Oracles + recipe.References + recipe.Unlearned == 0)
            errors.Add("recipe asks for no model; give oracles, references or unlearned");
        reader.Finish();
        return errors.Count == 0 ? recipe : throw new InputException(path, errors);
    }
}
