using RegistryUnlearn.Auditing;
using RegistryUnlearn.Onnx.Models;
using RegistryUnlearn.Registry;
using RegistryUnlearn.SampleMaker;
using RegistryUnlearn.Unlearning.Data;

if (args is not [var csv, var registry])
{
    Console.Error.WriteLine("usage: RegistryUnlearn.SampleMaker <digits.csv.gz> <empty folder for the registry>");
    return 2;
}

var versionFolder = Path.Combine(registry, "digits", "1");
var modelFile = Path.Combine(versionFolder, "model.onnx");
Directory.CreateDirectory(versionFolder);
Directory.CreateDirectory(Path.Combine(registry, "requests"));

var split = Split.Of(Digit.ReadAll(csv), Choices.Sample);
split.Write(Path.Combine(registry, "datasets", "digits"));
var options = new DataSetOptions { Normalization = new(Digit.Brightest, [0], [1]) };
var learner = new Learner(Load("train"), Load("holdout"), Load("test"));

using var weights = Learner.Train(learner.All, Choices.Sample);
ModelFile.Write(DigitsModel.Build(weights), modelFile);
await new ModelRegistry(new FolderStore(registry)).SetAliasAsync(ModelName.Parse("digits"), Alias.Parse("production"), 1);

MakeRequest("forget-canaries", split.Canaries);
MakeRequest("forget-random", split.Random);
return 0;

DataSet Load(string name) => DataSet.Load(Path.Combine(registry, DataDigests.PathOf(name)), options);

void MakeRequest(string name, IReadOnlyList<string> ids)
{
    var forget = learner.Forget(ids);
    var version1 = ModelSummary.Of(learner.Measure("version 1", weights, forget));
    if (version1.Retained.Accuracy < 1 || version1.Forget.Accuracy < 1)
        throw new InvalidOperationException("version 1 has not learned all training labels; choose another seed or train longer");

    var data = DataDigests.Of(registry);
    RequestFile.Write(registry, name, data, ids);
    var oracles = new OracleFile(
        OracleFile.CurrentSchema,
        $"sha256:{DataDigests.HexOf(modelFile)}",
        OracleKey.Of(data.Train, data.Holdout, data.Test, ids),
        [.. Choices.Oracles.Select(seed => Oracle(forget, seed))]);
    File.WriteAllBytes(Path.Combine(registry, "requests", $"{name}.oracles.json"), oracles.ToJson());

    var model = new AuditedModel("version 1", version1);
    Console.WriteLine(Table.Of(name, Auditor.Audit(model, model, [], oracles.Oracles, [], new())));
}

OracleRecord Oracle(Subset forget, ulong seed)
{
    using var retrained = Learner.Train(learner.All.Except(forget, AuditSets.Retained), seed);
    return OracleRecord.Of(learner.Measure($"oracle-{seed}", retrained, forget), (long)seed, Choices.LossPoints);
}
