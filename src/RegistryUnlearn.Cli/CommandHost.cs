using System.CommandLine;
using RegistryUnlearn.Cli.Commands;
using RegistryUnlearn.Cli.Output;
using RegistryUnlearn.Training.Devices;

namespace RegistryUnlearn.Cli;

/// <summary>What a command gives back.</summary>
/// <param name="Document">Printed as the JSON document with <c>--output json</c>.</param>
/// <param name="Text">Prints the same for people.</param>
public sealed record Answer(object Document, Action<TextScreen> Text, int ExitCode = ExitCodes.Ok);

/// <summary>Runs the body of a command: prints its answer in the format asked for, turns exceptions into messages and exit codes.</summary>
public sealed class CommandHost(Streams streams, TimeProvider clock)
{
    public TimeProvider Clock => clock;

    /// <summary>Progress and diagnostics, beside the answer.</summary>
    public ProgressLine NewProgress() => new(streams, clock);

    /// <summary>The stages and steps of a job.</summary>
    internal JobProgress NewJobProgress() => new(streams, clock);

    /// <summary>Makes a body the action of a command.</summary>
    public Command RunAsync(Command command, Func<ParseResult, CancellationToken, Task<Answer>> body)
    {
        command.SetAction(async (parsed, cancellation) =>
        {
            var json = parsed.GetValue(CommonOptions.Output) == CommonOptions.Json;
            try
            {
                if (parsed.GetValue(CommonOptions.Device) is { } device)
                    ExecutionDevice.Use(device);
                var answer = await body(parsed, cancellation);
                Print(answer, json);
                return answer.ExitCode;
            }
            catch (Exception e)
            {
                return Fail(e, json, parsed.GetValue(CommonOptions.Verbose));
            }
        });
        return command;
    }

    /// <summary>As <see cref="RunAsync"/>, for work that computes throughout.</summary>
    public Command Run(Command command, Func<ParseResult, CancellationToken, Answer> body) =>
        RunAsync(command, (parsed, cancellation) => Task.Run(() => body(parsed, cancellation), CancellationToken.None));

    /// <summary>Says what is wrong with the arguments.</summary>
    internal int Refuse(IReadOnlyList<string> args, ParseResult parsed)
    {
        var path = new List<string>();
        for (var command = parsed.CommandResult; command is not null; command = command.Parent as System.CommandLine.Parsing.CommandResult)
            path.Insert(0, command.Parent is null ? "registry-unlearn" : command.Command.Name);
        string[] errors = [.. parsed.Errors.Select(e => e.Message).Distinct()];
        Say(string.Join('\n', errors));
        Say($"Run '{string.Join(' ', path)} --help' to see what this command takes.");
        if (WantsJson(args)) PrintError(ExitCodes.BadInput, string.Join('\n', errors));
        return ExitCodes.BadInput;
    }

    /// <summary>Read from the arguments themselves, which could not be parsed.</summary>
    static bool WantsJson(IReadOnlyList<string> args) =>
        args.Any(a => a is "--output=json" or "--output:json") || args.Zip(args.Skip(1)).Any(p => p is ("--output", "json"));

    void Print(Answer answer, bool json)
    {
        if (json)
            streams.Output.WriteLine(JsonOutput.Write(answer.Document));
        else
            answer.Text(new TextScreen(streams.Output, streams.OutputIsTerminal));
    }

    int Fail(Exception exception, bool json, bool verbose)
    {
        var code = ExitCodes.Of(exception);
        var message = code switch
        {
            ExitCodes.Cancelled => "Cancelled. Nothing was written.",
            ExitCodes.Defect => $"This is a defect of registry-unlearn, please report it: {exception.GetType().Name}: {exception.Message}",
            _ => exception.Message,
        };
        Say(message);
        if (verbose) Say(exception.ToString());
        else if (code == ExitCodes.Defect) Say("Run it again with --verbose to see where it happened.");
        if (json) PrintError(code, message);
        return code;
    }

    void PrintError(int code, string message) =>
        streams.Output.WriteLine(JsonOutput.Write(new { error = new { exitCode = code, message } }));

    void Say(string message) => streams.Error.WriteLine(Printable.Of(message));
}
