namespace RegistryUnlearn.Unlearning.Methods;

/// <summary>What one step did; values that a method does not have are null.</summary>
/// <param name="RememberLoss">Loss on retained samples.</param>
/// <param name="ForgetLoss">Loss on samples to forget.</param>
/// <param name="Cosine">cos(G_r, G_f), -1..1.</param>
/// <param name="Fired">Share of projections that fired, 0..1.</param>
/// <param name="KeptForgetNorm">‖G_f'‖ / ‖G_f‖.</param>
public readonly record struct StepTrace(float RememberLoss, float? ForgetLoss, float? Cosine, float? Fired, float? KeptForgetNorm)
{
    const int Fields = 5;

    internal void Write(BinaryWriter writer)
    {
        foreach (var value in (ReadOnlySpan<float?>)[RememberLoss, ForgetLoss, Cosine, Fired, KeptForgetNorm])
            writer.Write(value ?? float.NaN);
    }

    internal static StepTrace Read(BinaryReader reader)
    {
        Span<float> v = stackalloc float[Fields];
        for (var i = 0; i < Fields; i++)
            v[i] = reader.ReadSingle();
        return new(v[0], Known(v[1]), Known(v[2]), Known(v[3]), Known(v[4]));

        static float? Known(float value) => float.IsNaN(value) ? null : value;
    }
}
