using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;
using System.Reflection;
using RegistryUnlearn.Cli.Commands;

namespace RegistryUnlearn.Cli;

/// <summary>Where the command writes.</summary>
/// <param name="OutputIsTerminal">Whether a person reads the output; then tables are drawn.</param>
/// <param name="ErrorIsTerminal">Whether progress may rewrite its line.</param>
public sealed record Streams(TextWriter Output, TextWriter Error, bool OutputIsTerminal = false, bool ErrorIsTerminal = false);

/// <summary>The command <c>registry-unlearn</c>.</summary>
public sealed class CommandLine(Streams streams, TimeProvider clock)
{
    /// <summary>Runs one command; nothing is thrown, everything is said and returned as a code of <see cref="ExitCodes"/>.</summary>
    public async Task<int> RunAsync(IReadOnlyList<string> args, CancellationToken cancellation)
    {
        var host = new CommandHost(streams, clock);
        var parsed = Root(host).Parse(args, new() { ResponseFileTokenReplacer = null });
        if (parsed.Errors.Count > 0 && parsed.Action is not HelpAction)
            return host.Refuse(args, parsed);
        return await parsed.InvokeAsync(
            new()
            {
                Output = streams.Output,
                Error = streams.Error,
                EnableDefaultExceptionHandler = false,
                ProcessTerminationTimeout = null,
            },
            cancellation);
    }

    static RootCommand Root(CommandHost host)
    {
        var root = new RootCommand(
            "Removes the influence of chosen training samples from ONNX models in a model registry, "
            + "audits the result and records where it came from.")
        {
            CommonOptions.Output,
            CommonOptions.Verbose,
            DemoCommand.Create(host),
            RunCommand.Create(host),
            SubmitCommand.Create(host),
            WorkerCommand.Create(host),
            MethodsCommand.Create(host),
            ModelsCommand.Create(host),
            JobsCommand.Create(host),
            VerifyCommand.Create(host),
            AuditCommand.Create(host),
            GcCommand.Create(host),
            KeysCommand.Create(host),
            InspectCommand.Create(host),
            ArtifactsCommand.Create(host),
            TrainCommand.Create(host),
        };
        root.HelpName = "registry-unlearn";
        foreach (var version in root.Options.OfType<VersionOption>())
            version.Action = new PrintVersion();
        return root;
    }

    sealed class PrintVersion : SynchronousCommandLineAction
    {
        public override int Invoke(ParseResult parseResult)
        {
            var version = typeof(CommandLine).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion;
            parseResult.InvocationConfiguration.Output.WriteLine(version.Split('+')[0]);
            return ExitCodes.Ok;
        }
    }
}
