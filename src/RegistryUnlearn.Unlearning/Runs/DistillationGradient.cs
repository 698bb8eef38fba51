using System.Numerics.Tensors;
using RegistryUnlearn.Onnx.Graphs;
using RegistryUnlearn.Onnx.Losses;
using RegistryUnlearn.Onnx.Steps;
using RegistryUnlearn.Training.Buffers;
using RegistryUnlearn.Training.Evaluation;
using RegistryUnlearn.Training.Runtime;
using RegistryUnlearn.Unlearning.Data;
using RegistryUnlearn.Unlearning.Methods;

namespace RegistryUnlearn.Unlearning.Runs;

/// <summary>
/// Loss and gradient of w·CE + v·T²·KL(teacher ‖ student), both means over the labelled rows of a batch; the teacher's and the student's
/// logits are divided by the temperature T in the second (Hinton et al., 2015).
/// </summary>
sealed class DistillationGradient : IDisposable
{
    /// <summary>2⁻¹²⁶: the logarithm of what is smaller may be −∞ where denormal numbers count as zero.</summary>
    const float SmallestNormal = float.Epsilon * (1 << 23);

    const string Labels = "labels", Teacher = "teacher", LabelWeight = "weight/labels", TeacherWeight = "weight/teacher";

    readonly int batch, classes;
    readonly float temperature;
    readonly Evaluator teacher;
    readonly GraphSession session;
    readonly BoundStep step;

    /// <param name="teacher">Gives the probabilities to move to or from; not disposed here.</param>
    /// <param name="batch">Samples per run.</param>
    /// <param name="labelWeight">w</param>
    /// <param name="teacherWeight">v; negative to move away from the teacher.</param>
    public DistillationGradient(
        UnlearningTask task, Evaluator teacher, int batch, float labelWeight, float teacherWeight, float temperature,
        TensorBlock parameters, TensorBlock gradients)
    {
        (this.teacher, this.batch, this.temperature, classes) = (teacher, batch, temperature, task.Classes);
        session = new GraphSession(StepGraph.FirstOrder(task.Model, (g, prefix, logits) => Loss(g, task, prefix, logits)), task.Device);
        try
        {
            step = new BoundStep(session, _ => batch, parameters, gradients, unread: StepGraph.Logits);
        }
        catch
        {
            session.Dispose();
            throw;
        }
        step[LabelWeight].Floats[0] = labelWeight;
        step[TeacherWeight].Floats[0] = teacherWeight * temperature * temperature;
    }

    Value Loss(GraphBuilder g, UnlearningTask task, string prefix, Value logits)
    {
        var rows = task.Labelled(g, prefix, logits, Labels);
        var layout = task.Model.Layout;
        var declared = g.Input(prefix + Teacher, layout.ArrangedType(g.Inputs[prefix + "input"].Shape[0], classes));
        var probabilities = layout.IsPerSample ? declared : g.Reshape(declared, -1, classes);
        // KL(q‖p) = Σ q·(log q − log p); where q is 0 its logarithm does not count.
        var difference = g.Sub(
            g.Log(g.Add("Max", [probabilities, g.Scalar(SmallestNormal)])), g.LogSoftmax(g.Scale(rows.Logits, 1 / temperature), 1));
        var divergence = rows.Mean(g.ReduceSum(g.Mul(probabilities, difference), [1], keep: false));
        var crossEntropy = ClassificationLosses.CrossEntropy(g, rows, classes);
        return g.Add(
            g.Mul(crossEntropy, g.Input(prefix + LabelWeight, TensorType.Float())),
            g.Mul(divergence, g.Input(prefix + TeacherWeight, TensorType.Float())));
    }

    /// <summary>Writes the gradient at the present parameters and returns the loss.</summary>
    public float Run(DataSet data, ReadOnlySpan<int> rows)
    {
        var inputs = step["input"].Inputs;
        data.Fill(rows, inputs, step[Labels].Longs);
        var probabilities = step[Teacher].Floats;
        var size = data.SampleSize;
        var tensor = step["input"];
        teacher.Logits(batch, (start, target) => tensor.Inputs.Slice(start * size, target.Length).CopyTo(target), probabilities);
        TensorPrimitives.Divide(probabilities, temperature, probabilities);
        for (var row = 0; row < probabilities.Length; row += classes)
        {
            var values = probabilities.Slice(row, classes);
            TensorPrimitives.SoftMax(values, values);
        }
        step.Run();
        return step.Scalar(StepGraph.Loss);
    }

    public void Dispose()
    {
        step.Dispose();
        session.Dispose();
    }
}
