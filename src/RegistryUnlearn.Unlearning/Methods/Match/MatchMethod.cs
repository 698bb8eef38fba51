using RegistryUnlearn.Unlearning.Methods.Ltu;

namespace RegistryUnlearn.Unlearning.Methods.Match;

/// <summary>
/// What of learning to unlearn carries the result, without its meta-step, membership models and projection: samples to forget are led to
/// the confidence that a model without them is expected to have, while distillation keeps the model as it is elsewhere.
/// </summary>
public sealed class MatchMethod : IUnlearningMethod
{
    public string Name => "match";

    public string Summary =>
        "leads each sample to what a model that never saw it would say, and keeps the rest; the default";

    public string Needs => "a tenth of the retained samples, and a holdout for targets that can be relied on";

    public string NotFor => "models that take batches of one fixed size";

    public object ReadOptions(OptionReader reader) => MatchOptions.Read(reader);

    public MethodRun Start(UnlearningTask task, object options) => LtuRun.Start(task, new LtuOptions((MatchOptions)options), Name);
}
