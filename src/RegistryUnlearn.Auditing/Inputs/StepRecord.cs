namespace RegistryUnlearn.Auditing;

/// <summary>What one unlearning step recorded; null where the method has no such quantity.</summary>
/// <param name="Step">Number of the step, ascending within a series.</param>
/// <param name="RememberLoss">Loss of the remembering feedback before the step.</param>
/// <param name="ForgetLoss">Loss of the forgetting feedback before the step.</param>
/// <param name="Cosine">Cosine between the remembering and the forgetting gradient, in [−1, 1].</param>
/// <param name="ProjectionFired">Whether harmonization projected in this step.</param>
/// <param name="KeptForgetNorm">‖G_f'‖/‖G_f‖, the share of the forgetting gradient's norm left by the projection.</param>
public sealed record StepRecord(
    int Step, double RememberLoss, double? ForgetLoss = null, double? Cosine = null, bool? ProjectionFired = null,
    double? KeptForgetNorm = null);
