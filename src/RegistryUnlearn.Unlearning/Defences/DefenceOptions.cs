using RegistryUnlearn.Unlearning.Methods;

namespace RegistryUnlearn.Unlearning.Defences;

/// <summary>What is done to a result so that the difference to its parent says less of what was removed; all 0 for nothing.</summary>
/// <param name="Noise">
/// Deviation of normal noise on every trainable parameter, in units of the root mean square of the difference of its tensor, 0..100
/// </param>
/// <param name="Prune">Share of each tensor's parameters, those that changed least, that get the parent's value back, 0..1</param>
/// <param name="RetainedSteps">Further steps on retained samples, AdamW at 0.0001 in batches of 64, 0..100,000</param>
public sealed record DefenceOptions(float Noise, float Prune, int RetainedSteps)
{
    public static readonly DefenceOptions None = new(0, 0, 0);

    [System.Text.Json.Serialization.JsonIgnore]
    public bool IsNone => this == None;

    public static DefenceOptions Read(OptionReader reader) => new(
        reader.Float("noise", 0, 0, 100), reader.Float("prune", 0, 0, 1), reader.Int("retainedSteps", 0, 0, 100_000));
}
