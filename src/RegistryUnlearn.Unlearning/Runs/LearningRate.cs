namespace RegistryUnlearn.Unlearning.Runs;

public enum Schedule
{
    Constant,

    /// <summary>Warm-up over the first tenth of the steps, then a line down to zero.</summary>
    Linear,

    /// <summary>Warm-up over the first tenth of the steps, then half a cosine down to zero.</summary>
    Cosine,
}

/// <summary>The learning rate of each step.</summary>
public sealed class LearningRate(float peak, Schedule schedule, int steps)
{
    const double WarmUp = 0.1;

    /// <param name="step">From 0.</param>
    public float At(int step)
    {
        if (schedule is Schedule.Constant)
            return peak;
        var warm = Math.Min(1, (step + 1) / Math.Max(1, WarmUp * steps));
        var progress = (double)step / steps;
        return (float)(peak * warm * (schedule is Schedule.Linear ? 1 - progress : 0.5 * (1 + Math.Cos(Math.PI * progress))));
    }
}
