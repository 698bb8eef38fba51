using RegistryUnlearn.Unlearning.Data;

namespace RegistryUnlearn.Auditing.Inversion;

/// <summary>
/// What values inputs can have: stored values from 0 to the scale, normalised. Pictures and PSNR are in units of the scale, 0 to 1.
/// </summary>
/// <param name="channels">Channels of a sample; values are in C×… order.</param>
public sealed class InputRange(Normalization normalization, int channels)
{
    /// <summary>The network's value of a share of the scale.</summary>
    public float Low(int channel) => normalization.Apply(0, channel);

    public float High(int channel) => normalization.Apply(normalization.Scale, channel);

    /// <summary>Channel of a place in a sample.</summary>
    public int ChannelOf(int place, int sampleSize) => (int)((long)place * channels / sampleSize);

    /// <summary>A sample in shares of the scale.</summary>
    public float[] Shares(ReadOnlySpan<float> sample)
    {
        var shares = new float[sample.Length];
        for (var i = 0; i < shares.Length; i++)
        {
            var channel = ChannelOf(i, shares.Length);
            shares[i] = (sample[i] - Low(channel)) / (High(channel) - Low(channel));
        }

        return shares;
    }

    /// <summary>Peak signal-to-noise ratio of two samples in shares of the scale, in dB; 100 at most.</summary>
    public static double Psnr(ReadOnlySpan<float> a, ReadOnlySpan<float> b)
    {
        var square = 0.0;
        for (var i = 0; i < a.Length; i++)
            square += ((double)a[i] - b[i]) * ((double)a[i] - b[i]);
        return -10 * Math.Log10(Math.Max(square / a.Length, 1e-10));
    }
}
