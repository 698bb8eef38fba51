using RegistryUnlearn.Onnx.Models;

namespace RegistryUnlearn.Onnx.Tests.Models;

public sealed class LogitChoiceTests
{
    public static TheoryData<long[], long[]?, int?, bool, int, long[]> Found => new()
    {
        // Logits behind the batch, labels behind the batch, asked, tokens: axis and positions.
        { [10], null, null, false, 1, [] },
        { [10], [], null, false, 1, [] },
        { [10], [], -1, false, 1, [] },
        { [7, 50], [7], null, true, 2, [7] },
        { [50, 7], [7], null, true, 1, [7] },
        { [21, 8, 6], [8, 6], null, false, 1, [8, 6] },
        { [8, 6, 21], [8, 6], null, false, 3, [8, 6] },
        { [8, 8], [8], 2, true, 2, [8] },
        { [8, 8], [8], -2, true, 1, [8] },
        { [7, 50], null, null, true, 2, [7] },
        { [21, 8, 6], null, null, false, 1, [8, 6] },
        { [3, 4, 5, 6], [3, 4, 6], null, false, 3, [3, 4, 6] },
    };

    [Theory, MemberData(nameof(Found))]
    public void The_axis_of_the_classes(long[] shape, long[]? labels, int? asked, bool tokens, int axis, long[] positions)
    {
        var (layout, classes) = new LogitChoice(null, asked).Layout("m.onnx", "y", shape, labels, tokens);
        Assert.Equal((axis, shape[axis - 1]), (layout.ClassAxis, classes));
        Assert.Equal(positions, layout.Positions);
        Assert.Equal(positions.Aggregate(1L, (n, d) => n * d), layout.Rows);
    }

    public static TheoryData<long[], long[]?, int?, string> Refused => new()
    {
        { [8, 8], [8], null, "m.onnx: output 'y' of shape (N, 8, 8): can have its classes along axis 1 or 2 with labels of shape (8). "
            + "Say which by the class axis (--class-axis, or classAxis in a request)" },
        { [7, 50], null, null, "can have its classes along axis 1 or 2. Say which by the class axis (--class-axis)" },
        { [7, 50], [], null, "does not fit labels of shape () per sample. Give one label per position" },
        { [7, 50], [9], null, "does not fit labels of shape (9) per sample" },
        {
            [7, 50], [7], 1,
            "has classes along axis 1, and labels have shape (7) per sample. Give one label for each of the positions (50)"
        },
        { [7, 50], [7], 3, "has no class axis 3. Name an axis from 1 to 2, or from -2 to -1" },
        { [7, 50], [7], 0, "has no class axis 0" },
        { [7, 50], [7], -3, "has no class axis -3" },
        { [7, 1], [7], null, "has 1 classes along axis 2. Logits need at least two" },
        { [65536, 65536, 2], null, -1, "has positions (65536, 65536)" },
    };

    [Theory, MemberData(nameof(Refused))]
    public void What_is_not_clear_is_refused(long[] shape, long[]? labels, int? asked, string message) => Assert.Contains(message,
        Assert.Throws<OnnxModelException>(() => new LogitChoice(null, asked).Layout("m.onnx", "y", shape, labels, false)).Message);
}
