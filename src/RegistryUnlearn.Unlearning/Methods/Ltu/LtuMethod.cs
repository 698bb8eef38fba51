namespace RegistryUnlearn.Unlearning.Methods.Ltu;

/// <summary>
/// Learning to unlearn (Huang, Foo, Liu, ECCV 2024): meta-gradients of a remembering and a forgetting feedback, harmonized by projection,
/// with a per-sample target for forgetting and a stop rule that needs no retrained model.
/// </summary>
public sealed class LtuMethod : IUnlearningMethod
{
    public string Name => "ltu";

    public string Summary =>
        "learning to unlearn: match with differentiated meta-steps and gradient harmonization (Huang, Foo, Liu 2024)";

    public string Needs => "a tenth of the retained samples, and a holdout for targets that can be relied on";

    public string NotFor => "haste: the meta-step takes half as long again as match and has shown no gain over it; models that take batches of one fixed size";

    public object ReadOptions(OptionReader reader) => LtuOptions.Read(reader);

    public MethodRun Start(UnlearningTask task, object options) => LtuRun.Start(task, (LtuOptions)options, Name);
}
