using System.Diagnostics;
using System.Globalization;
using RegistryUnlearn.Onnx.Graphs;
using RegistryUnlearn.Onnx.Losses;
using RegistryUnlearn.Onnx.Proto;
using RegistryUnlearn.Onnx.Steps;
using RegistryUnlearn.Training.Buffers;
using RegistryUnlearn.Training.Harmonization;
using RegistryUnlearn.Training.Optimizers;
using RegistryUnlearn.Training.Runtime;
using RegistryUnlearn.Worker.Models;

namespace RegistryUnlearn.Benchmarks.PyTorch;

/// <summary>
/// This engine's side of the comparison, a process of its own as the other side is: <c>serve FILE BATCH KIND</c> answers <c>ready</c>,
/// then for every line N on standard input N step times in milliseconds, and for <c>memory</c> the most memory it ever held, in KiB.
/// </summary>
sealed class StepServer : IDisposable
{
    const int Queries = 2;

    readonly List<IDisposable> owned = [];
    readonly ClassifierModel model;
    readonly TensorBlock parameters, remember, forget;
    readonly SgdMomentum sgd;
    readonly Action step;

    StepServer(string path, int batch, string kind)
    {
        model = Own(ClassifierModel.Load(path));
        parameters = model.Initial;
        (remember, forget) = (Own(new TensorBlock(parameters.Layout)), Own(new TensorBlock(parameters.Layout)));
        sgd = Own(new SgdMomentum(parameters.Layout, momentum: 0.9f));
        step = kind switch
        {
            "train" => Training(batch),
            "unlearn" => Unlearning(batch),
            _ => throw new ArgumentException($"'{kind}' is neither train nor unlearn", nameof(kind)),
        };
    }

    public static void Serve(string path, int batch, string kind)
    {
        using var server = new StepServer(path, batch, kind);
        Console.WriteLine("ready");
        while (Console.ReadLine() is { } line)
            Console.WriteLine(line.Trim() == "memory"
                ? PeakMemory() : string.Join(' ', server.Times(int.Parse(line, CultureInfo.InvariantCulture))));
    }

    IEnumerable<string> Times(int count)
    {
        var times = new string[count];
        for (var i = 0; i < count; i++)
        {
            var start = Stopwatch.GetTimestamp();
            step();
            times[i] = Stopwatch.GetElapsedTime(start).TotalMilliseconds.ToString(CultureInfo.InvariantCulture);
        }
        return times;
    }

    Action Training(int batch)
    {
        var run = Bind(StepGraph.FirstOrder(model.Forward, CrossEntropy), batch, remember);
        return () =>
        {
            run.Run();
            sgd.Step(parameters, remember, 1e-6f);
        };
    }

    Action Unlearning(int batch)
    {
        var remembering = Bind(StepGraph.Meta(model.Forward, CrossEntropy, CrossEntropy, Queries, MetaOrder.Exact), batch, remember);
        var forgetting = Bind(StepGraph.Meta(model.Forward, Membership, Membership, Queries, MetaOrder.Exact), batch, forget);
        return () =>
        {
            remembering.Run();
            forgetting.Run();
            Harmonizer.Combine(remember, forget, HarmonizationScope.Global, HarmonizationMode.ProtectRemember, 1);
            sgd.Step(parameters, remember, 1e-6f);
        };
    }

    Value CrossEntropy(GraphBuilder g, string prefix, Value logits) =>
        ClassificationLosses.CrossEntropy(g, logits, model.AddLabels(g, prefix + "labels", prefix + "batch"), model.Classes);

    Value Membership(GraphBuilder g, string prefix, Value logits)
    {
        var labels = model.AddLabels(g, prefix + "labels", prefix + "batch");
        var features = MembershipLosses.Features(g, logits, labels, model.Classes);
        Value weights = g.Input(prefix + "mi/weights", TensorType.Float(4)), bias = g.Input(prefix + "mi/bias", TensorType.Float());
        return MembershipLosses.NonMember(g, MembershipLosses.Scores(g, features, weights, bias));
    }

    BoundStep Bind(ModelProto graph, int batch, TensorBlock gradients)
    {
        var bound = Own(new BoundStep(Own(new GraphSession(graph)), _ => batch, parameters, gradients));
        var random = new Random(1);
        foreach (var prefix in Enumerable.Range(0, Queries).Select(StepGraph.Query).Append(StepGraph.Support).Append(""))
        {
            if (bound.Has(prefix + "input"))
            {
                Networks.Fill(bound[prefix + "input"].Floats, 1.7f);
                foreach (ref var label in bound[prefix + "labels"].Longs)
                    label = random.Next(model.Classes);
            }
            if (bound.Has(prefix + "mi/weights"))
                Networks.Fill(bound[prefix + "mi/weights"].Floats, 0.5f);
        }
        foreach (var scalar in new[] { StepGraph.Alpha, StepGraph.Lambda }.Where(bound.Has))
            bound[scalar].Floats[0] = scalar == StepGraph.Alpha ? 1e-3f : 1;
        return bound;
    }

    static string PeakMemory() =>
        File.ReadLines("/proc/self/status").Single(l => l.StartsWith("VmHWM", StringComparison.Ordinal))
            .Split((char[])[' ', '\t'], StringSplitOptions.RemoveEmptyEntries)[1];

    T Own<T>(T resource) where T : IDisposable
    {
        owned.Add(resource);
        return resource;
    }

    public void Dispose()
    {
        owned.Reverse();
        owned.ForEach(o => o.Dispose());
    }
}
