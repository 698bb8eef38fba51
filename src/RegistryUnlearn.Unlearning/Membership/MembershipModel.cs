namespace RegistryUnlearn.Unlearning.Membership;

/// <summary>A logistic MI model: score s = w·φ + b, probability of being a member σ(s).</summary>
/// <param name="W0">Weight of φ₀.</param>
/// <param name="W1">Weight of φ₁.</param>
/// <param name="W2">Weight of φ₂.</param>
/// <param name="W3">Weight of φ₃.</param>
/// <param name="Bias">b.</param>
public readonly record struct MembershipModel(float W0, float W1, float W2, float W3, float Bias)
{
    /// <summary>The score of one sample's four features.</summary>
    public float Score(ReadOnlySpan<float> features) =>
        (float)(((double)W0 * features[0]) + ((double)W1 * features[1]) + ((double)W2 * features[2]) + ((double)W3 * features[3]) + Bias);

    /// <summary>Scores N samples.</summary>
    /// <param name="features">N×4 values.</param>
    /// <param name="scores">N values.</param>
    public void Score(ReadOnlySpan<float> features, Span<float> scores)
    {
        if (features.Length != (long)scores.Length * MembershipFeatures.Count)
            throw new ArgumentException($"{scores.Length} scores need {MembershipFeatures.Count} features each.", nameof(scores));
        for (var i = 0; i < scores.Length; i++)
            scores[i] = Score(features.Slice(i * MembershipFeatures.Count, MembershipFeatures.Count));
    }
}
