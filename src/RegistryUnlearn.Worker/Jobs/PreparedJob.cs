using RegistryUnlearn.Onnx.Models;
using RegistryUnlearn.Unlearning.Data;
using RegistryUnlearn.Unlearning.Methods;
using RegistryUnlearn.Worker.Models;
using RegistryUnlearn.Worker.Requests;

namespace RegistryUnlearn.Worker.Jobs;

/// <summary>A job whose model and sets are loaded, checked against each other and ready to work on.</summary>
sealed record PreparedJob(
    ClassifierModel Model, UnlearningTask Task, Subset RetainedAll, IReadOnlyDictionary<string, Subset> AuditSets) : IDisposable
{
    /// <exception cref="DataException">Ids do not exist, sets overlap or are empty, labels or shapes do not fit the model.</exception>
    /// <exception cref="OnnxModelException">The model is no classifier that can be trained here.</exception>
    public static PreparedJob Prepare(UnlearningRequest request, FetchedJob fetched)
    {
        var train = fetched.Train;
        var model = ClassifierModel.Load(fetched.ModelPath, request.Logits, request.Parameters, train);
        try
        {
            RequireFreeNames(model);
            foreach (var data in new[] { train, fetched.Holdout, fetched.Test }.OfType<DataSet>())
            {
                if (!data.SampleShape.SequenceEqual(train.SampleShape))
                    throw new DataException(data.File, null,
                        $"its samples have shape {Text(data.SampleShape)}, those of the training data {Text(train.SampleShape)}",
                        "use data of one shape");
                model.RequireFits(data);
            }
            var forget = fetched.Forget;
            var retainedAll = train.All("training").Except(forget, "retained");
            Subset retained;
            if (request.Retain.Ids is { } ids)
            {
                retained = train.Select(ids, "retained");
                forget.RequireDisjoint(retained);
            }
            else
                retained = retainedAll.Sample(request.Retain.Fraction!.Value, request.Retain.Seed, "retained");
            var sets = new Dictionary<string, Subset> { [Auditing.AuditSets.Retained] = retainedAll, [Auditing.AuditSets.Forget] = forget };
            if (fetched.Test is { } test)
                sets[Auditing.AuditSets.Test] = test.All("test");
            var holdout = fetched.Holdout?.All("holdout");
            if (holdout is not null)
                sets[Auditing.AuditSets.Holdout] = holdout;
            var task = new UnlearningTask(
                model.Forward, model.Initial, model.Classes, forget, retained, holdout, train.Count, request.Seed);
            return new(model, task, retainedAll, sets);
        }
        catch
        {
            model.Dispose();
            throw;
        }
    }

    /// <exception cref="OnnxModelException">A file of the new version would fall onto a data file of the model.</exception>
    static void RequireFreeNames(ClassifierModel model)
    {
        var taken = model.File.ExternalDataFiles.FirstOrDefault(f => PublishStage.OwnFiles.Contains(f, StringComparer.OrdinalIgnoreCase));
        if (taken is not null)
            throw new OnnxModelException(model.File.Path, $"external_data file '{taken}'",
                "has the name of a file that every version has", "Export the model with another name for its data");
    }

    static string Text<T>(IEnumerable<T> shape) => $"[{string.Join(", ", shape)}]";

    public void Dispose() => Model.Dispose();
}
