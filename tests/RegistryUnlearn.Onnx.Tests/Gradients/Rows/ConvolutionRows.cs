namespace RegistryUnlearn.Onnx.Tests.Gradients.Rows;

public sealed class ConvolutionRows
{
    internal static readonly RowSet Rows = new(
    [
        // few channels: transposed convolution, patches per image
        new("Conv", "N,2,5,6 | 3,2,3,3 | 3"), new("Conv", "N,1,5,6 | 3,1,3,2 | 3", "kernel_shape=[3,2]"),
        new("Conv", "N,3,8,7 | 4,3,3,3", "strides=[2,3] pads=[1,0,2,1]"),
        new("Conv", "N,2,9 | 3,2,3 | 3", "strides=[2] pads=[2,1] dilations=[2]"),
        new("Conv", "N,2,4,5,4 | 3,2,2,3,2 | 3", "strides=[2,1,1] pads=[1,0,1,0,2,0]"),
        .. from auto in new[] { "SAME_UPPER", "SAME_LOWER", "VALID" } from window in new[] { "", " strides=[2,3]" }
            select new GradientCase("Conv", "N,2,6,7 | 3,2,3,2", $"auto_pad={auto}{window}"),
        // unit strides: rotated kernel; patches gathered channel-last
        new("Conv", "N,6,5,6 | 3,6,3,3 | 3", "pads=[1,1,1,1]"), new("Conv", "N,5,7 | 2,5,3 | 2", "pads=[2,0]"),
        new("Conv", "N,5,3,4,3 | 2,5,2,2,2", "pads=[1,0,1,0,1,1]"),
        new("Conv", "N,6,7,8 | 3,6,3,2", "dilations=[2,3] pads=[2,1,0,2]"), new("Conv", "N,6,6,7 | 3,6,3,2", "auto_pad=SAME_LOWER"),
        // pads wider than the window
        new("Conv", "N,6,4,4 | 3,6,2,2", "pads=[2,2,1,3]"),
        // one by one
        new("Conv", "N,6,3,4 | 5,6,1,1 | 5"), new("Conv", "N,6,4,5 | 5,6,1,1", "strides=[2,2]"),
        new("Conv", "N,6,4,5 | 5,6,1,1", "pads=[1,0,0,1]"), new("Conv", "N,6,7 | 5,6,1"),
        // strides with more channels
        new("Conv", "N,6,8,7 | 3,6,3,3 | 3", "strides=[2,2] pads=[1,1,0,1]"),
        new("Conv", "N,6,9,8 | 3,6,2,3", "strides=[3,2] dilations=[2,1]"),
        // many channels: one product per tap
        new("Conv", "N,201,4,4 | 2,201,3,3 | 2", "pads=[1,1,1,1]") { Tolerance = 3e-3 },
        new("Conv", "N,200,5,5 | 2,200,2,2", "strides=[2,2] dilations=[2,1]") { Tolerance = 3e-3 },
        new("Conv", "N,200,3,3 | 2,200,1,1") { Tolerance = 3e-3 },
        // groups; depthwise; channel multiplier
        new("Conv", "N,6,5,5 | 4,3,3,3 | 4", "group=2 pads=[1,0,1,2]"), new("Conv", "N,6,5,5 | 6,1,3,3 | 6", "group=6 pads=[1,1,1,1]"),
        new("Conv", "N,5,6,6 | 10,1,3,3", "group=5 strides=[2,2] pads=[1,1,1,1]"),
        new("Conv", "N,4,9 | 6,2,3", "group=2 strides=[2] dilations=[2] pads=[0,1]"), new("Conv", "N,4,3,4,3 | 4,1,2,2,2", "group=4"),
        new("Conv", "N,6,6 | 9,2,2", "group=3 auto_pad=SAME_UPPER"),
        // spatial sizes known only at run time: roles of image and kernel swapped; transposed convolution cut to size
        new("Conv", "N,6,H,W | 3,6,3,3 | 3", "pads=[1,1,1,1]"), new("Conv", "N,2,H,W | 3,2,3,2 | 3", "strides=[2,3] pads=[1,0,1,2]"),
        new("Conv", "N,2,H,5 | 3,2,3,2"),
        new("Conv", "N,6,H,W | 4,3,3,3", "group=2 strides=[2,2] pads=[0,1,1,0]"),
        new("Conv", "N,4,H,W | 8,1,2,2", "group=4 dilations=[2,1]"), new("Conv", "N,2,W | 3,2,3", "strides=[2] dilations=[2]"),
        new("Conv", "N,2,H,W | 3,2,3,2", "auto_pad=SAME_LOWER"), new("Conv", "2,3,H,W | 3,3,1,1", "strides=[3,2]"),
        // transposed convolution: input channels first in its kernel
        new("ConvTranspose", "N,3,4,5 | 3,2,3,3 | 2"), new("ConvTranspose", "N,3,4,5 | 3,2,3,2", "kernel_shape=[3,2] pads=[1,0,2,1]"),
        new("ConvTranspose", "N,3,4,3 | 3,6,2,2 | 6", "strides=[2,2]"),
        new("ConvTranspose", "N,3,4,3 | 3,6,3,3 | 6", "strides=[2,2] pads=[1,1,1,1] output_padding=[1,1]"),
        new("ConvTranspose", "N,3,5 | 3,2,3 | 2", "strides=[3] pads=[1,0] output_padding=[2] dilations=[2]"),
        new("ConvTranspose", "N,2,2,3,2 | 2,3,2,2,2 | 3", "strides=[2,1,2] pads=[1,0,0,0,1,0]"),
        new("ConvTranspose", "N,4,4,4 | 4,2,3,3 | 4", "group=2 strides=[2,1] pads=[1,1,0,1]"),
        new("ConvTranspose", "N,4,5 | 4,1,3", "group=4"),
        .. from auto in new[] { "SAME_UPPER", "SAME_LOWER", "VALID" }
            select new GradientCase("ConvTranspose", "N,3,4,5 | 3,2,3,4", $"auto_pad={auto} strides=[2,1]"),
        new("ConvTranspose", "N,3,4 | 3,2,4", "output_shape=[7] strides=[2]"),
        new("ConvTranspose", "N,3,4 | 3,2,4", "output_shape=[7] strides=[2] auto_pad=SAME_UPPER"),
        new("ConvTranspose", "N,3,H,W | 3,2,3,3 | 2", "strides=[2,2] pads=[1,1,1,1] output_padding=[1,0]"),
        new("ConvTranspose", "N,4,H,W | 4,2,2,3", "group=2 dilations=[2,1]"),
        // the transposes themselves: (dY, W, X) and (X, dY)
        new("ConvGradInput", "N,3,3,4 | 3,2,3,3 | N,2,5,6 positions",
            "kernel_shape=[3,3] strides=[1,1] pads=[0,0,0,0] dilations=[1,1] in=[5,6] channels=2 filters=3"),
        new("ConvGradInput", "N,3,3,3 | 3,6,3,3 | N,6,6,5 positions",
            "kernel_shape=[3,3] strides=[2,2] pads=[1,1,0,1] dilations=[1,1] in=[6,5] channels=6 filters=3"),
        new("ConvGradInput", "N,4,5,5 | 4,3,3,3 | N,6,5,5 positions",
            "kernel_shape=[3,3] strides=[1,1] pads=[1,1,1,1] dilations=[1,1] in=[5,5] group=2 channels=6 filters=4"),
        new("ConvGradWeight", "N,6,5,6 | N,3,3,4",
            "kernel_shape=[3,3] strides=[1,1] pads=[0,0,0,0] dilations=[1,1] in=[5,6] channels=6 filters=3"),
        new("ConvGradWeight", "N,6,5 | N,4,3", "kernel_shape=[3] strides=[2] pads=[1,1] dilations=[1] in=[5] group=2 channels=6 filters=4"),
        new("ConvGradWeight", "N,2,H,W | N,3,H,W",
            "kernel_shape=[3,3] strides=[1,1] pads=[1,1,1,1] dilations=[1,1] in=[-1,-1] channels=2 filters=3"),
    ]);

    public static TheoryData<string, int, bool> Runs => Rows.Runs;

    [Theory, MemberData(nameof(Runs))]
    public void Gradient_agrees_with_difference_quotients(string row, int opset, bool free) => Rows.Check(row, opset, free);
}
