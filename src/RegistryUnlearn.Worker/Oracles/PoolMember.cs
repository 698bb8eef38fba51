using System.Globalization;
using RegistryUnlearn.Auditing;

namespace RegistryUnlearn.Worker.Oracles;

/// <summary>A model that a pool is to have.</summary>
/// <param name="Method">Of unlearned models: stands for the method with its options; else null.</param>
sealed record PoolMember(PoolKind Kind, int Index, ulong Seed, string? Method = null)
{
    public string Name => string.Create(CultureInfo.InvariantCulture,
        $"{Spelled}{(Method is null ? "" : "-" + Method)}-{Index:0000}");

    /// <summary>The kind in records.</summary>
    public string Spelled => Kind.ToString().ToLowerInvariant();

    /// <summary>All models of a recipe, those that are of use the soonest first.</summary>
    public static IReadOnlyList<PoolMember> Of(PoolRecipe recipe, string method) =>
    [
        .. Many(PoolKind.Oracle, recipe.Oracles, recipe.Seed), .. Many(PoolKind.Reference, recipe.References, recipe.Seed),
        .. Many(PoolKind.Unlearned, recipe.Unlearned, recipe.Seed).Select(member => member with { Method = method }),
    ];

    /// <summary>
    /// Whether a reference model was trained on a row of the training set: each row is in one of the two that belong together.
    /// </summary>
    /// <param name="count">Rows of the training set.</param>
    public static bool[] Half(int index, ulong seed, int count)
    {
        // Both of a pair shuffle with the seed of the first.
        var first = seed - (ulong)(index % 2);
        int[] rows = [.. Enumerable.Range(0, count)];
        Unlearning.Data.Rng.For(first, "pool/half", 0).Shuffle(rows.AsSpan());
        var members = new bool[count];
        foreach (var row in index % 2 == 0 ? rows.AsSpan(0, count / 2) : rows.AsSpan(count / 2))
            members[row] = true;
        return members;
    }

    static IEnumerable<PoolMember> Many(PoolKind kind, int count, int seed) =>
        Enumerable.Range(0, count).Select(i => new PoolMember(kind, i, (ulong)(seed + i)));
}
