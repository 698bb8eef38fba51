using System.Buffers.Binary;
using RegistryUnlearn.Unlearning.Data;

namespace RegistryUnlearn.Unlearning.Membership;

/// <summary>
/// K membership-inference models fitted on one audit set (LTU, Huang et al., ECCV 2024), each with its own subset of the features
/// and its own bootstrap sample. Immutable: as the network moves, a new round is fitted.
/// </summary>
public sealed class MembershipEnsemble
{
    const int Stride = MembershipFeatures.Count + 1;
    const int HeaderSize = 8;
    const int FormatVersion = 1;

    /// <summary>
    /// Feature subsets by model, as bit sets of φ indices: all features first, then every other subset with φ₁, the feature that does not
    /// saturate on memorised samples, then those without. From the sixteenth model on subsets repeat, with other bootstrap samples.
    /// </summary>
    static readonly byte[] Masks =
    [
        0b1111, 0b0011, 0b0110, 0b1010, 0b0111, 0b1011, 0b1110, 0b0010,
        0b0101, 0b1001, 0b1100, 0b1101, 0b0001, 0b0100, 0b1000,
    ];

    readonly float[] weights;
    readonly float[] bias;

    MembershipEnsemble(float[] weights, float[] bias) => (this.weights, this.bias) = (weights, bias);

    /// <summary>K.</summary>
    public int Count => bias.Length;

    /// <summary>K×4 weights, one model after the other.</summary>
    public ReadOnlySpan<float> Weights => weights;

    /// <summary>K intercepts.</summary>
    public ReadOnlySpan<float> Bias => bias;

    public MembershipModel this[int model] => new(
        weights[4 * model], weights[(4 * model) + 1], weights[(4 * model) + 2], weights[(4 * model) + 3], bias[model]);

    /// <summary>Bytes that <see cref="Write"/> needs.</summary>
    public int ByteCount => HeaderSize + (Count * Stride * sizeof(float));

    /// <summary>The features a model sees: bit j stands for φ_j. Its other weights are zero.</summary>
    public static int FeatureMask(int model) => Masks[model % Masks.Length];

    /// <summary>
    /// Fits K models. Members and non-members get equal total weight, so that score 0 is the balance point however many there are of each.
    /// Columns are standardised for the fit and the result is folded back. The same arguments give the same models.
    /// </summary>
    /// <param name="members">N×4 features of members, N ≥ 1.</param>
    /// <param name="nonMembers">M×4 features of non-members, M ≥ 1.</param>
    /// <param name="count">K.</param>
    /// <param name="seed">Chooses the bootstrap samples.</param>
    /// <param name="round">Counts the refits; each round has bootstrap samples of its own.</param>
    /// <param name="penalty">λ of the L2 penalty on standardised weights (our choice); positive.</param>
    /// <exception cref="ArgumentException">A set is empty, incomplete, or holds a feature that is not finite.</exception>
    public static MembershipEnsemble Fit(
        ReadOnlySpan<float> members, ReadOnlySpan<float> nonMembers, int count, ulong seed, long round = 0, double penalty = 1e-3)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(count);
        ArgumentOutOfRangeException.ThrowIfNegative(round);
        if (!(penalty > 0) || !double.IsFinite(penalty))
            throw new ArgumentOutOfRangeException(nameof(penalty), penalty, "The penalty must be positive and finite.");
        Check(members, nameof(members));
        Check(nonMembers, nameof(nonMembers));
        var ensemble = new MembershipEnsemble(new float[count * MembershipFeatures.Count], new float[count]);
        for (var model = 0; model < count; model++)
        {
            var rng = Rng.For(seed, $"membership/{model}", round);
            ensemble.FitModel(model, members, nonMembers, ref rng, penalty);
        }

        return ensemble;
    }

    /// <summary>
    /// Writes the models in <see cref="ByteCount"/> bytes, little-endian: version, K (int32), then 4 weights and the intercept of each
    /// (float32).
    /// </summary>
    public void Write(Span<byte> target)
    {
        if (target.Length != ByteCount)
            throw new ArgumentException($"{Count} models need {ByteCount} bytes, not {target.Length}.", nameof(target));
        BinaryPrimitives.WriteInt32LittleEndian(target, FormatVersion);
        BinaryPrimitives.WriteInt32LittleEndian(target[4..], Count);
        for (var i = 0; i < Count * Stride; i++)
        {
            var (model, j) = Math.DivRem(i, Stride);
            var value = j < MembershipFeatures.Count ? weights[(model * MembershipFeatures.Count) + j] : bias[model];
            BinaryPrimitives.WriteSingleLittleEndian(target[(HeaderSize + (i * sizeof(float)))..], value);
        }
    }

    /// <summary>Reads what <see cref="Write"/> wrote.</summary>
    /// <exception cref="DataException">The bytes are of another version, cut off, or hold a number that is not finite.</exception>
    public static MembershipEnsemble Read(ReadOnlySpan<byte> source)
    {
        var known = source.Length >= HeaderSize && BinaryPrimitives.ReadInt32LittleEndian(source) is FormatVersion;
        var count = known ? BinaryPrimitives.ReadInt32LittleEndian(source[4..]) : 0;
        if (count <= 0 || source.Length != HeaderSize + ((long)count * Stride * sizeof(float)))
            throw Damaged("its length or version does not fit");
        var ensemble = new MembershipEnsemble(new float[count * MembershipFeatures.Count], new float[count]);
        for (var i = 0; i < count * Stride; i++)
        {
            var (model, j) = Math.DivRem(i, Stride);
            var value = BinaryPrimitives.ReadSingleLittleEndian(source[(HeaderSize + (i * sizeof(float)))..]);
            if (!float.IsFinite(value))
                throw Damaged("it holds a number that is not finite");
            if (j < MembershipFeatures.Count)
                ensemble.weights[(model * MembershipFeatures.Count) + j] = value;
            else
                ensemble.bias[model] = value;
        }

        return ensemble;
    }

    void FitModel(int model, ReadOnlySpan<float> members, ReadOnlySpan<float> nonMembers, ref Rng rng, double penalty)
    {
        var (m, n) = (members.Length / MembershipFeatures.Count, nonMembers.Length / MembershipFeatures.Count);
        var sampleWeights = new double[m + n];
        for (var i = 0; i < m; i++)
            sampleWeights[rng.NextInt32(m)] += 0.5 / m;
        for (var i = 0; i < n; i++)
            sampleWeights[m + rng.NextInt32(n)] += 0.5 / n;
        var isMember = new bool[m + n];
        isMember.AsSpan(0, m).Fill(true);
        int[] seen = [.. Enumerable.Range(0, MembershipFeatures.Count).Where(j => (FeatureMask(model) >> j & 1) is 1)];
        var columns = new double[seen.Length * (m + n)];
        for (var j = 0; j < seen.Length; j++)
        {
            for (var i = 0; i < m + n; i++)
            {
                columns[(j * (m + n)) + i] = i < m
                    ? members[(i * MembershipFeatures.Count) + seen[j]]
                    : nonMembers[((i - m) * MembershipFeatures.Count) + seen[j]];
            }
        }

        var solution = LogisticRegression.Fit(columns, isMember, sampleWeights, penalty);
        for (var j = 0; j < seen.Length; j++)
            weights[(model * MembershipFeatures.Count) + seen[j]] = (float)solution[j];
        bias[model] = (float)solution[^1];
    }

    static void Check(ReadOnlySpan<float> features, string name)
    {
        if (features.IsEmpty || features.Length % MembershipFeatures.Count is not 0)
            throw new ArgumentException($"The features must be N×{MembershipFeatures.Count}, N ≥ 1.", name);
        var wrong = features.IndexOfAnyExceptInRange(float.MinValue, float.MaxValue);
        if (wrong >= 0)
        {
            var (sample, feature) = Math.DivRem(wrong, MembershipFeatures.Count);
            throw new ArgumentException($"Feature {feature} of sample {sample} is not finite: the network's outputs diverged.", name);
        }
    }

    static DataException Damaged(string problem) => new("checkpoint", "membership models", problem, "resume from another checkpoint");
}
