using System.Numerics;
using System.Runtime.InteropServices;
using RegistryUnlearn.Training.Buffers;

namespace RegistryUnlearn.Training.Harmonization;

/// <summary>Over what the inner product of the two gradients is taken.</summary>
public enum HarmonizationScope
{
    /// <summary>All parameters together.</summary>
    Global,

    /// <summary>Each parameter tensor by itself.</summary>
    Tensor,
}

/// <summary>Which gradient gives way when the two conflict.</summary>
public enum HarmonizationMode
{
    /// <summary>No projection.</summary>
    Off,

    /// <summary>Each is projected onto the normal plane of the other's original.</summary>
    Symmetric,

    /// <summary>Only the forgetting gradient is projected.</summary>
    ProtectRemember,
}

/// <summary>What one harmonization did.</summary>
/// <param name="Cosine">cos(G_r, G_f) over all parameters; 0 where a norm is zero. NaN or infinite gradients make it NaN.</param>
/// <param name="Fired">Share of scopes (of 1, or of all tensors) in which the projection fired, 0..1.</param>
/// <param name="KeptForgetNorm">‖G_f'‖ / ‖G_f‖ over all parameters; 1 where G_f is zero.</param>
public readonly record struct Harmonized(double Cosine, double Fired, double KeptForgetNorm);

/// <summary>
/// Gradient harmonization by projection on conflict (Huang, Foo, Liu, ECCV 2024; the symmetric form is that of Yu et al., Gradient
/// Surgery, NeurIPS 2020): writes G_r' + w_f · G_f' over G_r, in place.
/// </summary>
public static class Harmonizer
{
    /// <summary>Floats per block whose products are summed in float32.</summary>
    const int Block = 2048;

    /// <param name="remember">G_r; replaced by the update direction.</param>
    /// <param name="forget">G_f; read only.</param>
    public static Harmonized Combine(
        TensorBlock remember, TensorBlock forget, HarmonizationScope scope, HarmonizationMode mode, float forgetWeight)
    {
        remember.RequireSameLayout(forget);
        double rr = 0, rf = 0, ff = 0, kept = 0;
        var fired = 0;
        if (scope is HarmonizationScope.Global)
        {
            for (var start = 0L; start < remember.Length; start += Part)
            {
                var count = PartAt(remember, start);
                Products(remember.Part(start, count), forget.Part(start, count), ref rr, ref rf, ref ff);
            }
            var (keepR, intoR, keepF, intoF) = Coefficients(rr, rf, ff, mode);
            for (var start = 0L; start < remember.Length; start += Part)
            {
                var count = PartAt(remember, start);
                Mix(remember.Part(start, count), forget.Part(start, count), keepR + forgetWeight * intoF, intoR + forgetWeight * keepF);
            }
            fired = intoF != 0 ? 1 : 0;
            kept = ProjectedSquare(rr, rf, ff, keepF, intoF);
        }
        else
        {
            for (var i = 0; i < remember.TensorCount; i++)
            {
                double trr = 0, trf = 0, tff = 0;
                Products(remember[i], forget[i], ref trr, ref trf, ref tff);
                var (keepR, intoR, keepF, intoF) = Coefficients(trr, trf, tff, mode);
                Mix(remember[i], forget[i], keepR + forgetWeight * intoF, intoR + forgetWeight * keepF);
                fired += intoF != 0 ? 1 : 0;
                kept += ProjectedSquare(trr, trf, tff, keepF, intoF);
                (rr, rf, ff) = (rr + trr, rf + trf, ff + tff);
            }
        }
        var norms = Math.Sqrt(rr) * Math.Sqrt(ff);
        return new(
            norms == 0 ? 0 : rf / norms,
            (double)fired / (scope is HarmonizationScope.Global ? 1 : remember.TensorCount),
            ff == 0 ? 1 : Math.Sqrt(Math.Max(0, kept) / ff));
    }

    const int Part = 1 << 30;

    static int PartAt(TensorBlock block, long start) => (int)Math.Min(Part, block.Length - start);

    /// <summary>
    /// G_r' = keepR · G_r + intoR · G_f and G_f' = keepF · G_f + intoF · G_r, by the original norms; a zero norm projects nothing.
    /// </summary>
    static (float KeepR, float IntoR, float KeepF, float IntoF) Coefficients(double rr, double rf, double ff, HarmonizationMode mode)
    {
        if (mode is HarmonizationMode.Off || !(rf < 0) || rr == 0 || ff == 0)
            return (1, 0, 1, 0);
        return (1, mode is HarmonizationMode.Symmetric ? (float)(-rf / ff) : 0, 1, (float)(-rf / rr));
    }

    static double ProjectedSquare(double rr, double rf, double ff, double keep, double into) =>
        keep * keep * ff + 2 * keep * into * rf + into * into * rr;

    /// <summary>Adds ⟨r,r⟩, ⟨r,f⟩ and ⟨f,f⟩ in one pass over memory; blocks in float32, their sums in float64.</summary>
    static void Products(ReadOnlySpan<float> r, ReadOnlySpan<float> f, ref double rr, ref double rf, ref double ff)
    {
        for (var start = 0; start < r.Length; start += Block)
        {
            var count = Math.Min(Block, r.Length - start);
            var (brr, brf, bff) = BlockProducts(r.Slice(start, count), f.Slice(start, count));
            (rr, rf, ff) = (rr + brr, rf + brf, ff + bff);
        }
    }

    /// <summary>The three products of one block; two sums each, since one would wait for itself at every step.</summary>
    static (float RR, float RF, float FF) BlockProducts(ReadOnlySpan<float> r, ReadOnlySpan<float> f)
    {
        ReadOnlySpan<Vector<float>> a = MemoryMarshal.Cast<float, Vector<float>>(r), b = MemoryMarshal.Cast<float, Vector<float>>(f);
        Vector<float> rr0 = default, rr1 = default, rf0 = default, rf1 = default, ff0 = default, ff1 = default;
        var i = 0;
        for (; i + 1 < a.Length; i += 2)
        {
            Vector<float> r0 = a[i], r1 = a[i + 1], f0 = b[i], f1 = b[i + 1];
            (rr0, rr1) = (Vector.MultiplyAddEstimate(r0, r0, rr0), Vector.MultiplyAddEstimate(r1, r1, rr1));
            (rf0, rf1) = (Vector.MultiplyAddEstimate(r0, f0, rf0), Vector.MultiplyAddEstimate(r1, f1, rf1));
            (ff0, ff1) = (Vector.MultiplyAddEstimate(f0, f0, ff0), Vector.MultiplyAddEstimate(f1, f1, ff1));
        }
        var (rr, rf, ff) = (Vector.Sum(rr0 + rr1), Vector.Sum(rf0 + rf1), Vector.Sum(ff0 + ff1));
        for (i *= Vector<float>.Count; i < r.Length; i++)
            (rr, rf, ff) = (rr + r[i] * r[i], rf + r[i] * f[i], ff + f[i] * f[i]);
        return (rr, rf, ff);
    }

    /// <summary>r ← fromR · r + fromF · f in one pass over memory.</summary>
    static void Mix(Span<float> r, ReadOnlySpan<float> f, float fromR, float fromF)
    {
        var a = MemoryMarshal.Cast<float, Vector<float>>(r);
        var b = MemoryMarshal.Cast<float, Vector<float>>(f);
        for (var i = 0; i < a.Length; i++)
            a[i] = a[i] * fromR + b[i] * fromF;
        for (var i = a.Length * Vector<float>.Count; i < r.Length; i++)
            r[i] = r[i] * fromR + f[i] * fromF;
    }
}
