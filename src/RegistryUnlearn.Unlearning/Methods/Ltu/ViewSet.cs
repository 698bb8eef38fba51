using RegistryUnlearn.Unlearning.Data;

namespace RegistryUnlearn.Unlearning.Methods.Ltu;

/// <summary>The views of each kind. A view must keep the label and must not be one the model was trained with.</summary>
static class ViewSet
{
    static readonly View[] HalfShifts = [new(0.5f, 0, false), new(-0.5f, 0, false), new(0, 0.5f, false), new(0, -0.5f, false)];

    /// <summary>No shift is a multiple of a common stride (4), under which a convolution network sees the same features.</summary>
    static readonly View[] ShiftsFlips =
    [
        new(0, 0, true), new(1, 0, true), new(0, 1, true), new(-1, 1, true), new(1, 2, true), new(2, -1, true),
        new(1, 1, false), new(2, 1, false), new(-1, 2, false), new(-2, -2, false), new(2, 0, false), new(0, -1, false),
    ];

    public static View[] Of(ViewKind kind) => kind is ViewKind.HalfShifts ? HalfShifts : ShiftsFlips;
}
