using System.Globalization;
using Microsoft.Extensions.Configuration;
using RegistryUnlearn.FaultyWorker;
using RegistryUnlearn.Registry;
using RegistryUnlearn.Worker.Hosting;
using RegistryUnlearn.Worker.Jobs;

// A worker that the operating system kills at a given write to the registry: REGISTRY WORKFOLDER before|after N. It works once, saves every
// step, and prints how many writes it made if it lives to the end.
if (args is not [var registry, var work, var when, var number] || when is not ("before" or "after"))
{
    Console.Error.WriteLine("usage: REGISTRY WORKFOLDER before|after N");
    return 2;
}
var store = new FatalStore(new FolderStore(registry), when == "before", int.Parse(number, CultureInfo.InvariantCulture));
var name = $"faulty-{Environment.ProcessId}";
await WorkerHost.RunAsync(
    new()
    {
        Name = name,
        Registry = registry,
        Once = true,
        Reconcile = new() { Worker = name, LeaseDuration = TimeSpan.FromSeconds(1) },
    },
    new ConfigurationBuilder().Build(), store,
    new JobOptions { WorkFolder = work, CheckpointInterval = TimeSpan.Zero, CommitmentKey = new byte[32] }, TimeProvider.System);
Console.WriteLine(store.Writes);
return 0;
