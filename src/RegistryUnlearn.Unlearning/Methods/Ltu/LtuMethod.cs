using RegistryUnlearn.Unlearning.Data;

namespace RegistryUnlearn.Unlearning.Methods.Ltu;

/// <summary>
/// Learning to unlearn (Huang, Foo, Liu, ECCV 2024): meta-gradients of a remembering and a forgetting feedback, harmonized by projection,
/// with a per-sample target for forgetting and a stop rule that needs no retrained model.
/// </summary>
public sealed class LtuMethod : IUnlearningMethod
{
    public string Name => "ltu";

    public string Summary =>
        "learning to unlearn: meta-gradients, harmonization and a calibrated target per sample; works with a tenth of the retained data";

    public string Needs => "a tenth of the retained samples, and a holdout for targets that can be relied on";

    public string NotFor => "models that take batches of one fixed size";

    public object ReadOptions(OptionReader reader) => LtuOptions.Read(reader);

    public MethodRun Start(UnlearningTask task, object options)
    {
        if (task.Model.FixedBatch is { } batch)
            throw new DataException(task.Retained.Data.File, null,
                $"the model takes batches of exactly {batch}, ltu mixes batches of several sizes",
                "export the model with a dynamic batch dimension, or use finetune or neggrad+");
        if (!task.Model.Layout.IsPerSample && ((LtuOptions)options).Target is ForgetTarget.Views)
            throw new DataException(task.Retained.Data.File, null,
                "the model answers for positions, and moved views of a sample would need moved labels",
                "choose the target quantile, non-member or hinge");
        return new LtuRun(task, (LtuOptions)options);
    }
}
