using System.CommandLine;
using RegistryUnlearn.Registry;
using RegistryUnlearn.Registry.Azure;

namespace RegistryUnlearn.Cli.Commands;

/// <summary>The queue that hints at jobs.</summary>
static class QueueOptions
{
    public static Option<string?> Queue() => new("--queue")
    {
        Description = "A Storage Queue whose messages hint at jobs: job ids, or events of Event Grid or CloudEvents 1.0.",
        HelpName = "url",
    };

    /// <summary>The queue at an address; null for none.</summary>
    /// <exception cref="RegistryException">Invalid, or Denied: see <see cref="QueueLocation"/>.</exception>
    public static HintQueue? Open(string? address)
    {
        if (address is null)
            return null;
        var location = QueueLocation.Parse(address);
        return new(location.Connect(Environment.GetEnvironmentVariable), location.ConnectPoison(Environment.GetEnvironmentVariable));
    }
}
