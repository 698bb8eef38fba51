namespace RegistryUnlearn.Auditing;

/// <summary>
/// How fast a short training on the forget set brings it back, against unseen samples of the same classes under the same labels.
/// </summary>
/// <param name="ForgetSteps">Steps until the loss is that of the model before unlearning; between two steps by interpolation.</param>
/// <param name="ControlSteps">The same for as many unseen samples, to the same loss.</param>
/// <param name="Samples">Samples on each side.</param>
public sealed record RelearnTime(double ForgetSteps, double ControlSteps, int Samples)
{
    /// <summary>About 1 when the forget set is learned like something new, 0 when it was still known; null when nothing was to learn.
    /// </summary>
    public double? Ratio => ControlSteps > 0 ? ForgetSteps / ControlSteps : null;
}
