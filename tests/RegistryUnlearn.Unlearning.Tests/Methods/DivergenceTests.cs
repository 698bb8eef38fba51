using RegistryUnlearn.Unlearning.Methods;
using RegistryUnlearn.Unlearning.Methods.FineTune;
using RegistryUnlearn.Unlearning.Methods.Ltu;
using RegistryUnlearn.Unlearning.Methods.NegGradPlus;
using RegistryUnlearn.Unlearning.Methods.Train;
using RegistryUnlearn.Unlearning.Runs;
using RegistryUnlearn.Unlearning.Tests.Methods.Ltu;

namespace RegistryUnlearn.Unlearning.Tests.Methods;

public class DivergenceTests
{
    static readonly OptimizerOptions TooFast = new(OptimizerKind.Sgd, 1e6f, 0.9f, 0, Schedule.Constant);

    public static TheoryData<string, int> Cases { get; } = new(
        ("finetune", 0), ("neggrad+", 0), ("train", 0), ("ltu", (int)ForgetTarget.Views), ("ltu", (int)ForgetTarget.NonMember),
        ("ltu", (int)ForgetTarget.Hinge));

    /// <summary>The step that is not finite is named and not applied, also where models are fitted and scored at every step.</summary>
    [Theory, MemberData(nameof(Cases))]
    public void A_step_that_is_not_finite_changes_nothing(string name, int target)
    {
        var method = MethodCatalog.Find(name)!;
        object options = name switch
        {
            "finetune" => new FineTuneOptions(40, 16, TooFast, new(StopKind.Holdout, 0.02f, 1)),
            "neggrad+" => new NegGradPlusOptions(0.9f, 40, 16, 0, TooFast, new(StopKind.Holdout, 0.02f, 1)),
            "train" => new TrainOptions(40, 16, TooFast),
            _ => LtuVariants.Full with { Target = (ForgetTarget)target, EvaluateEvery = 1, Refit = 1, Optimizer = TooFast },
        };
        using var run = method.Start(Blobs.Task(), options);
        var before = Tiny.Values(run.Parameters);
        var thrown = Assert.Throws<DivergedException>(() =>
        {
            while (!run.IsDone)
            {
                before = Tiny.Values(run.Parameters);
                run.Advance();
            }
        });

        Assert.Equal(run.Step, thrown.Step);
        Assert.Equal(run.Traces.Count, thrown.Step);
        Assert.Matches(
            $"^step {thrown.Step}: (the loss on (retained samples|samples to forget)|the update direction) is not finite; "
            + "the parameters before this step are kept. Lower the learning rate or the weight of forgetting$", thrown.Message);
        Assert.Equal(before, Tiny.Values(run.Parameters));
        if (name is "ltu")
            Assert.All(Tiny.Values(run.Result), value => Assert.True(float.IsFinite(value)));
    }
}
