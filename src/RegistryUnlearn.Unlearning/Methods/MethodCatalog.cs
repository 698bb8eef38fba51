using System.Collections.Frozen;
using RegistryUnlearn.Unlearning.Methods.BadTeacher;
using RegistryUnlearn.Unlearning.Methods.CatastrophicForgetting;
using RegistryUnlearn.Unlearning.Methods.ConvolutionTranspose;
using RegistryUnlearn.Unlearning.Methods.ExactUnlearning;
using RegistryUnlearn.Unlearning.Methods.FineTune;
using RegistryUnlearn.Unlearning.Methods.L1Sparse;
using RegistryUnlearn.Unlearning.Methods.Ltu;
using RegistryUnlearn.Unlearning.Methods.Lur;
using RegistryUnlearn.Unlearning.Methods.Match;
using RegistryUnlearn.Unlearning.Methods.NegGradPlus;
using RegistryUnlearn.Unlearning.Methods.RandomLabels;
using RegistryUnlearn.Unlearning.Methods.Retrain;
using RegistryUnlearn.Unlearning.Methods.SalUn;
using RegistryUnlearn.Unlearning.Methods.Scrub;
using RegistryUnlearn.Unlearning.Methods.SmallGradients;
using RegistryUnlearn.Unlearning.Methods.Train;

namespace RegistryUnlearn.Unlearning.Methods;

/// <summary>All methods by name.</summary>
public static class MethodCatalog
{
    /// <summary>What a request gets that names no method: the one that the benchmark found best (docs/benchmark.md).</summary>
    public static IUnlearningMethod Default { get; } = new MatchMethod();

    static readonly FrozenDictionary<string, IUnlearningMethod> ByName =
        new IUnlearningMethod[]
        {
            Default, new LtuMethod(), new LurMethod(), new RetrainMethod(), new FineTuneMethod(), new NegGradPlusMethod(),
            new RandomLabelsMethod(), new SalUnMethod(), new ScrubMethod(), new BadTeacherMethod(), new L1SparseMethod(), new CatastrophicForgettingMethod(),
            new ExactUnlearningMethod(), new SmallGradientsMethod(), new ConvolutionTransposeMethod(), new TrainMethod(),
        }.ToFrozenDictionary(m => m.Name);

    public static IEnumerable<IUnlearningMethod> All => ByName.Values.OrderBy(m => m.Name, StringComparer.Ordinal);

    public static IUnlearningMethod? Find(string name) => ByName.GetValueOrDefault(name);
}
