using System.Numerics.Tensors;
using RegistryUnlearn.Onnx.Graphs;
using RegistryUnlearn.Onnx.Proto;

namespace RegistryUnlearn.Training.Tests.Fixtures;

/// <summary>Numbers computed elsewhere that lie beside the repository; tests that need them are skipped where they are absent.</summary>
static class Fixture
{
    public static string Folder(string relative) => Repository.Shared("fixtures/" + relative);

    /// <summary>The model with the tensors of the given names as parameters.</summary>
    public static ForwardModel Model(string path, IEnumerable<string> parameters)
    {
        var model = ModelProto.Parser.ParseFrom(File.ReadAllBytes(path));
        var tensors = model.Graph.Initializer.ToDictionary(t => t.Name);
        var input = model.Graph.Input.Single(i => !tensors.ContainsKey(i.Name));
        long[] sample = [.. input.Type.TensorType.Shape.Dim.Skip(1).Select(d => d.DimValue)];
        return new ForwardModel(model, input.Name, model.Graph.Output[0].Name, sample,
            [.. parameters.Select(p => new ModelParameter(p, [.. tensors[p].Dims]))], tensor => tensor);
    }

    public static float[] Values(string path, string tensor)
    {
        var proto = ModelProto.Parser.ParseFrom(File.ReadAllBytes(path)).Graph.Initializer.Single(t => t.Name == tensor);
        return System.Runtime.InteropServices.MemoryMarshal.Cast<byte, float>(proto.RawData.Span).ToArray();
    }

    /// <summary>‖actual − expected‖ / ‖expected‖.</summary>
    public static double RelativeError(ReadOnlySpan<float> actual, ReadOnlySpan<float> expected)
    {
        Assert.Equal(expected.Length, actual.Length);
        var difference = new float[actual.Length];
        TensorPrimitives.Subtract(actual, expected, difference);
        var norm = TensorPrimitives.Norm(expected);
        return norm == 0 ? TensorPrimitives.Norm<float>(difference) : TensorPrimitives.Norm<float>(difference) / norm;
    }
}
