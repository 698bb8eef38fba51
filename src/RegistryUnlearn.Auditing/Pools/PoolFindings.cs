namespace RegistryUnlearn.Auditing;

/// <summary>What a pool of models let the audit find, as it is kept in metrics.json. Nothing here leads back to a sample.</summary>
/// <param name="Oracles">Models of each kind that were there.</param>
/// <param name="Attacks">One per attack and model: before, after, and each oracle against the rest.</param>
/// <param name="Klom">Null with fewer than two oracles or unlearned models.</param>
/// <param name="ULira">Null with fewer than four oracles or unlearned models.</param>
public sealed record PoolFindings(
    int Oracles, int References, int Unlearned, IReadOnlyList<AttackFinding> Attacks, KlomFinding? Klom = null, ULiraFinding? ULira = null)
{
    /// <summary>Accuracy on unseen samples, in points of hundred, that unlearned models may lose before U-LiRA gives no number.</summary>
    public const double AllowedPoints = 3;
}

/// <summary>An attack on one model: forget samples are called members, unseen ones are not.</summary>
/// <param name="Attack">loss, confidence, rmia or lira.</param>
/// <param name="Auc">1/2 for an attack that knows nothing.</param>
/// <param name="AucLow">By the bootstrap; likewise <paramref name="AucHigh"/>.</param>
public sealed record AttackFinding(
    string Attack, string Model, RowKind Kind, double Auc, double AucLow, double AucHigh, IReadOnlyList<RateFinding> Rates);

/// <summary>Share of the forget set that is found while so many unseen samples are wrongly accused.</summary>
/// <param name="Low">Clopper–Pearson, as if the threshold were known; likewise <paramref name="High"/>.</param>
/// <param name="IsResolved">Whether there are unseen samples enough for one false alarm; without, the rate is too high by resolution.
/// </param>
public sealed record RateFinding(double FalsePositiveRate, double TruePositiveRate, double Low, double High, bool IsResolved);

/// <summary>KL divergence of margins on the forget set, in nats; see <see cref="Statistics.Klom"/>.</summary>
/// <param name="ControlMean">One half of the oracles against the other, the level of chance for so few models; null with fewer than four.
/// </param>
public sealed record KlomFinding(double Mean, double Percentile95, double? ControlMean, double? ControlPercentile95);

/// <summary>How well unlearned models are told from oracles, sample by sample; see <see cref="Statistics.ULira"/>.</summary>
/// <param name="BalancedAccuracy">1/2 is a guess; null when the unlearned models are too bad to be praised for privacy.</param>
/// <param name="LostPoints">Accuracy on unseen samples below the oracles', in points of hundred.</param>
public sealed record ULiraFinding(double? BalancedAccuracy, double LostPoints);
