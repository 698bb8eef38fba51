using System.CommandLine;

namespace RegistryUnlearn.Cli.Commands;

/// <summary><c>inspect</c>: numbers of one computation, to be compared with another implementation.</summary>
static class InspectCommand
{
    public static Command Create(CommandHost host) => new("inspect", "Show the numbers of one gradient or one unlearning step.")
    {
        InspectGradientsCommand.Create(host),
        InspectLtuStepCommand.Create(host),
    };
}
