using BenchmarkDotNet.Running;
using RegistryUnlearn.Benchmarks;

BenchmarkSwitcher.FromAssembly(typeof(ShortRuns).Assembly).Run(args, new ShortRuns());
