using System.Globalization;
using BenchmarkDotNet.Running;
using RegistryUnlearn.Benchmarks;
using RegistryUnlearn.Benchmarks.PyTorch;
using RegistryUnlearn.Benchmarks.Registry;
using RegistryUnlearn.Benchmarks.Unlearning;

switch (args)
{
    case ["pytorch", .. var rest]:
        Comparison.Run(rest);
        break;
    case ["transfers", .. var rest]:
        await TransferComparison.RunAsync(rest);
        break;
    case ["unlearning", .. var rest]:
        UnlearningBenchmark.Run(rest);
        break;
    case ["safety", .. var rest]:
        SafetySweep.Run(rest);
        break;
    case ["sequential", .. var rest]:
        SequentialErasures.Run(rest);
        break;
    case ["serve", var model, var batch, var kind]:
        StepServer.Serve(model, int.Parse(batch, CultureInfo.InvariantCulture), kind);
        break;
    default:
        BenchmarkSwitcher.FromAssembly(typeof(ShortRuns).Assembly).Run(args, new ShortRuns());
        break;
}
