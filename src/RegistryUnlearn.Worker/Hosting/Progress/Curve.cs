using RegistryUnlearn.Unlearning.Methods;

namespace RegistryUnlearn.Worker.Hosting.Progress;

/// <summary>A run's steps, thinned out evenly so that there are never too many to draw. Not thread-safe.</summary>
public sealed class Curve(string method, int steps)
{
    public const int MaxPoints = 400;

    readonly List<CurvePoint> points = [];
    int stride = 1;

    public string Method => method;

    /// <summary>The newest step; 0 before the first.</summary>
    public int Last { get; private set; }

    /// <param name="step">From 1, rising.</param>
    public void Add(int step, StepTrace trace)
    {
        Last = step;
        if ((step - 1) % stride != 0)
            return;
        points.Add(new(step, Finite(trace.RememberLoss), Finite(trace.ForgetLoss), Finite(trace.Cosine), Finite(trace.Fired)));
        if (points.Count < MaxPoints)
            return;
        stride *= 2;
        points.RemoveAll(p => (p.Step - 1) % stride != 0);
    }

    public RunProgress ToProgress() => new(method, Last, steps, [.. points]);

    /// <summary>JSON knows no infinities.</summary>
    static float? Finite(float? value) => value is { } v && float.IsFinite(v) ? v : null;
}
