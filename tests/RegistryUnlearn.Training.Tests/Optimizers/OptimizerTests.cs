using RegistryUnlearn.Training.Algebra;
using RegistryUnlearn.Training.Buffers;
using RegistryUnlearn.Training.Optimizers;
using RegistryUnlearn.Training.Tests.Buffers;
using RegistryUnlearn.Training.Tests.Devices;

namespace RegistryUnlearn.Training.Tests.Optimizers;

/// <summary>
/// Three steps from θ = (1, −2, ½) against numbers computed in float64 with the update formulas of PyTorch's optimizers.
/// </summary>
public sealed class OptimizerTests
{
    static readonly float[] Start = [1, -2, 0.5f];

    static readonly float[][] Gradients = [[0.5f, -1, 2], [0.25f, 0.5f, -1], [-1, 0, 0.125f]];

    [Theory]
    [InlineData(0, 0, new[] { 0.95f, -1.9f, 0.3f }, new[] { 0.925f, -1.95f, 0.4f }, new[] { 1.025f, -1.95f, 0.3875f })]
    [InlineData(0.9f, 0, new[] { 0.95f, -1.9f, 0.3f }, new[] { 0.88f, -1.86f, 0.22f }, new[] { 0.917f, -1.824f, 0.1355f })]
    [InlineData(0.9f, 0.05f,
        new[] { 0.945f, -1.89f, 0.2975f },
        new[] { 0.865775f, -1.83155f, 0.2137625f },
        new[] { 0.89014362f, -1.76978725f, 0.12482994f })]
    public void Sgd(float momentum, float weightDecay, float[] first, float[] second, float[] third)
    {
        Follows(algebra => algebra.SgdMomentum(momentum, weightDecay), 1, 0.1f, first, second, third);
    }

    [Theory]
    [InlineData(0, 0.01f, 0.9f, 0.999f, 1e-8f,
        new[] { 0.99f, -1.99f, 0.49f },
        new[] { 0.9806782f, -1.98733663f, 0.48733663f },
        new[] { 0.98274177f, -1.98527784f, 0.48492418f })]
    [InlineData(0.01f, 0.01f, 0.9f, 0.999f, 1e-8f,
        new[] { 0.9899f, -1.9898f, 0.48995f },
        new[] { 0.98047921f, -1.98693765f, 0.48723763f },
        new[] { 0.98244474f, -1.98468016f, 0.48477646f })]
    [InlineData(0.1f, 0.01f, 0.9f, 0.999f, 1e-8f,
        new[] { 0.989f, -1.988f, 0.4895f },
        new[] { 0.9786892f, -1.98334863f, 0.48634713f },
        new[] { 0.97977409f, -1.97930649f, 0.48344833f })]
    [InlineData(0.1f, 0.05f, 0.8f, 0.9f, 1e-2f,
        new[] { 0.94598039f, -1.94049505f, 0.44774876f },
        new[] { 0.89599771f, -1.9202171f, 0.434867f },
        new[] { 0.90574135f, -1.9027847f, 0.4227613f })]
    public void Adam(float weightDecay, float rate, float beta1, float beta2, float epsilon, float[] first, float[] second, float[] third)
    {
        Follows(algebra => algebra.AdamW(weightDecay, beta1, beta2, epsilon), 2, rate, first, second, third);
    }

    public static TheoryData<string, Func<IBlockAlgebra, IOptimizer>> Optimizers { get; } = Rows(
        algebra => algebra.SgdMomentum(0.9f, 0.05f),
        algebra => algebra.AdamW(0.1f));

    [Theory, MemberData(nameof(Optimizers))]
    public void Every_element_of_a_long_tensor_moves_as_a_single_one_does(string device, Func<IBlockAlgebra, IOptimizer> make)
    {
        const int count = 5003;
        var on = TestDevice.Of(device);
        using IBlockAlgebra three = BlockAlgebra.On(on, Blocks.Layout(3)), thousands = BlockAlgebra.On(on, Blocks.Layout(count, 1, count));
        using IOptimizer one = make(three), many = make(thousands);
        using TensorBlock small = Blocks.On(on, Start), large = Blocks.On(on, Cycle(Start, count), [Start[0]], Cycle(Start, count));
        foreach (var g in Gradients)
        {
            using TensorBlock few = Blocks.On(on, g), more = Blocks.On(on, Cycle(g, count), [g[0]], Cycle(g, count));
            one.Step(small, few, 0.01f);
            many.Step(large, more, 0.01f);
        }
        Blocks.Near([.. Cycle(small.Values(), count), small.Values()[0], .. Cycle(small.Values(), count)], large.Values(), 1e-6);
    }

    [Theory, MemberData(nameof(Optimizers))]
    public void A_restored_state_continues_exactly(string device, Func<IBlockAlgebra, IOptimizer> make)
    {
        var on = TestDevice.Of(device);
        using var algebra = BlockAlgebra.On(on, Blocks.Layout(3));
        using IOptimizer whole = make(algebra), resumed = make(algebra);
        using TensorBlock expected = Blocks.On(on, Start), g = Blocks.On(on, Gradients[0]);
        for (var step = 0; step < 3; step++)
            whole.Step(expected, g, 0.01f);
        using var parameters = expected.Clone();
        for (var i = 0; i < whole.State.Count; i++)
            resumed.State[i].CopyFrom(whole.State[i]);
        resumed.Steps = whole.Steps;
        whole.Step(expected, g, 0.01f);
        resumed.Step(parameters, g, 0.01f);
        Assert.Equal(expected.Values(), parameters.Values());
        Assert.Equal(4, resumed.Steps);
    }

    /// <summary>The three steps on every device.</summary>
    static void Follows(Func<IBlockAlgebra, IOptimizer> make, int states, float rate, params float[][] expected)
    {
        foreach (var device in TestDevice.All)
        {
            using var algebra = BlockAlgebra.On(device, Blocks.Layout(Start.Length));
            using var optimizer = make(algebra);
            using var parameters = Blocks.On(device, Start);
            for (var step = 0; step < expected.Length; step++)
            {
                using var direction = Blocks.On(device, Gradients[step]);
                optimizer.Step(parameters, direction, rate);
                Blocks.Near(expected[step], parameters.Values(), 2e-6);
                Assert.Equal(Gradients[step], direction.Values());
            }
            Assert.Equal(expected.Length, optimizer.Steps);
            Assert.Equal(states, optimizer.State.Count);
        }
    }

    static TheoryData<string, Func<IBlockAlgebra, IOptimizer>> Rows(params Func<IBlockAlgebra, IOptimizer>[] optimizers)
    {
        var rows = new TheoryData<string, Func<IBlockAlgebra, IOptimizer>>();
        foreach (var device in TestDevice.All)
            foreach (var make in optimizers)
                rows.Add(device.Name, make);
        return rows;
    }

    static float[] Cycle(float[] values, int count) => [.. Enumerable.Range(0, count).Select(i => values[i % values.Length])];
}
