using System.Collections.Frozen;
using RegistryUnlearn.Unlearning.Methods.FineTune;
using RegistryUnlearn.Unlearning.Methods.Ltu;
using RegistryUnlearn.Unlearning.Methods.NegGradPlus;
using RegistryUnlearn.Unlearning.Methods.Train;

namespace RegistryUnlearn.Unlearning.Methods;

/// <summary>All methods by name.</summary>
public static class MethodCatalog
{
    static readonly FrozenDictionary<string, IUnlearningMethod> ByName =
        new IUnlearningMethod[] { new LtuMethod(), new FineTuneMethod(), new NegGradPlusMethod(), new TrainMethod() }
            .ToFrozenDictionary(m => m.Name);

    public static IEnumerable<IUnlearningMethod> All => ByName.Values.OrderBy(m => m.Name, StringComparer.Ordinal);

    public static IUnlearningMethod? Find(string name) => ByName.GetValueOrDefault(name);
}
