using RegistryUnlearn.Unlearning.Data;

namespace RegistryUnlearn.SampleMaker;

/// <summary>A seeded division of the digits; every part is in the order of the csv file.</summary>
/// <param name="TrainedLabels">Labels of the training set as version 1 saw them: wrong for the canaries.</param>
/// <param name="Canaries">Ids of the training samples with a wrong label.</param>
/// <param name="Random">Ids of a plain random part of the others.</param>
sealed record Split(
    Digit[] Train, long[] TrainedLabels, Digit[] Holdout, Digit[] Test, IReadOnlyList<string> Canaries, IReadOnlyList<string> Random)
{
    public static Split Of(Digit[] digits, ulong seed)
    {
        var order = digits.ToArray();
        Rng.For(seed, "sample/split", 0).Shuffle(order.AsSpan());
        var train = InOrder(order[..Choices.Train]);
        var canaries = InOrder(order[..Choices.Canaries]);
        var random = InOrder(order[Choices.Canaries..(Choices.Canaries + Choices.Random)]);
        return new(
            train,
            [.. train.Select(digit => canaries.Contains(digit) ? WrongLabel(digit, seed) : (long)digit.Label)],
            InOrder(order[Choices.Train..(Choices.Train + Choices.Holdout)]),
            InOrder(order[(Choices.Train + Choices.Holdout)..]),
            Ids(canaries),
            Ids(random));
    }

    /// <summary>Writes train.npz, holdout.npz and test.npz.</summary>
    public void Write(string folder)
    {
        Directory.CreateDirectory(folder);
        Write(Path.Combine(folder, "train.npz"), Train, TrainedLabels);
        Write(Path.Combine(folder, "holdout.npz"), Holdout);
        Write(Path.Combine(folder, "test.npz"), Test);
    }

    static void Write(string path, Digit[] digits, long[]? trainedLabels = null)
    {
        byte[] pixels = [.. digits.SelectMany(digit => digit.Pixels)];
        long[] labels = [.. digits.Select(digit => (long)digit.Label)];
        using var npz = new NpzWriter(File.Create(path));
        npz.Add<byte>("x", [digits.Length, 1, Digit.Side, Digit.Side], pixels);
        npz.Add<long>("y", [digits.Length], trainedLabels ?? labels);
        npz.Add(NpyArray.OfStrings("id", Ids(digits)));
        if (trainedLabels is not null)
            npz.Add<long>("y_true", [digits.Length], labels);
    }

    /// <summary>Uniform among the nine others.</summary>
    static int WrongLabel(Digit digit, ulong seed) =>
        (digit.Label + 1 + Rng.For(seed, "sample/wrong-label", digit.Row).NextInt32(Digit.Classes - 1)) % Digit.Classes;

    static Digit[] InOrder(Digit[] digits) => [.. digits.OrderBy(digit => digit.Row)];

    static string[] Ids(Digit[] digits) => [.. digits.Select(digit => digit.Id)];
}
