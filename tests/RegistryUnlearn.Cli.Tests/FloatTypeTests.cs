using Google.Protobuf;
using RegistryUnlearn.Cli.Tests.Support;
using RegistryUnlearn.Onnx.Models;
using RegistryUnlearn.Onnx.Proto;
using static RegistryUnlearn.Cli.Tests.Support.Make;
using static RegistryUnlearn.Onnx.Proto.TensorProto.Types;

namespace RegistryUnlearn.Cli.Tests;

/// <summary>Models in other float types: trained in float32, written back in their own type, rounded to nearest.</summary>
public sealed class FloatTypeTests
{
    [Theory]
    [InlineData(DataType.Float16, true)]
    [InlineData(DataType.Float16, false)]
    [InlineData(DataType.Bfloat16, true)]
    [InlineData(DataType.Bfloat16, false)]
    [InlineData(DataType.Double, true)]
    public async Task Gradients_are_those_of_the_same_model_in_float32(DataType type, bool throughout)
    {
        using var work = new Workspace().Write("single.onnx", Linear([1, -0.5f, 0.25f, 2, -1, 0]))
            .Write("other.onnx", In(type, throughout, 1, -0.5f, 0.25f, 2, -1, 0))
            .Write("batch.npz", Floats("input", [2, 2], 1, 2, 3, 4), Longs("labels", [2], 0, 2), Floats("v/b", [3], 1, 0, 0));
        foreach (var name in new[] { "single", "other" })
        {
            var outcome = await work.RunAsync($"inspect gradients {{{name}.onnx}} --batch {{batch.npz}} --out {{{name}.npz}}");
            Assert.Equal((0, ""), (outcome.Code, outcome.Error));
        }
        var expected = work.Read("single.npz");
        var actual = work.Read("other.npz");
        Assert.Equal(expected.Keys.Order(), actual.Keys.Order());
        foreach (var (name, array) in expected)
            Assert.Equal(array.ToSingles(), actual[name].ToSingles());
    }

    [Theory]
    [InlineData(DataType.Float16, true)]
    [InlineData(DataType.Bfloat16, false)]
    [InlineData(DataType.Double, true)]
    public async Task Training_keeps_the_type_of_the_weights(DataType type, bool throughout)
    {
        using var work = new Workspace().Write("model.onnx", In(type, throughout, new float[6]))
            .Write("options.json", """{"epochs":200,"batch":4,"learningRate":0.1}""")
            .Write("train.npz", Floats("x", [3, 2], 2, 1, 1, 2, -1, -1), Longs("y", [3], 0, 1, 2));
        var outcome = await work.RunAsync(
            "train {model.onnx} --data {train.npz} --method-options {options.json} --seed 7 --out {trained.onnx} --output json");
        Assert.Equal(0, outcome.Code);
        Assert.Equal(1, outcome.Json().GetProperty("train").GetProperty("after").GetDouble());
        ModelFile before = ModelFile.Load(work["model.onnx"]), after = ModelFile.Load(work["trained.onnx"]);
        Assert.Equal((type, type), (after["w"].ElementType, after["b"].ElementType));
        Assert.DoesNotContain(0, after["w"].ReadFloats());
        before.Model.Graph.Initializer.Clear();
        after.Model.Graph.Initializer.Clear();
        Assert.Equal(before.Model, after.Model);
    }

    [Fact]
    public async Task Artifacts_are_in_float32()
    {
        using var work = new Workspace().Write("model.onnx", In(DataType.Float16, true, new float[6]));
        Assert.Equal(0, (await work.RunAsync("artifacts build {model.onnx} --out {artifacts}")).Code);
        var training = ModelProto.Parser.ParseFrom(File.ReadAllBytes(work["artifacts/training_model.onnx"]));
        Assert.All(
            training.Graph.Input.Where(i => i.Name is not ("labels" or "lazy_reset_grad")),
            i => Assert.Equal(1, i.Type.TensorType.ElemType));
    }

    /// <summary>The linear model in another type throughout, or in float32 with weights of the type behind Cast.</summary>
    static ModelProto In(DataType type, bool throughout, params float[] weights)
    {
        var model = Linear(weights);
        foreach (var tensor in model.Graph.Initializer)
        {
            float[] values = [.. ModelFile.Wrap(model, "linear.onnx")[tensor.Name].ReadFloats()];
            tensor.DataType = (int)type;
            tensor.RawData = ByteString.CopyFrom([.. values.SelectMany(v => type switch
            {
                DataType.Float16 => BitConverter.GetBytes((Half)v),
                DataType.Bfloat16 => BitConverter.GetBytes(v)[2..],
                _ => BitConverter.GetBytes((double)v),
            })]);
        }
        if (throughout)
        {
            model.Graph.Input[0].Type.TensorType.ElemType = (int)type;
            model.Graph.Output[0].Type.TensorType.ElemType = (int)type;
            return model;
        }
        foreach (var name in new[] { "w", "b" })
        {
            model.Graph.Node.Insert(0, Node("Cast", [name], name + "/float", ("to", (long)DataType.Float)));
            model.Graph.Node[0].Name = "cast-" + name;
            model.Graph.Node[^1].Input[name == "w" ? 1 : 2] = name + "/float";
        }
        return model;
    }
}
