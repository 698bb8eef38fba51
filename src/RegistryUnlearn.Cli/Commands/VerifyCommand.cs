using System.CommandLine;
using RegistryUnlearn.Cli.Output;
using RegistryUnlearn.Registry;
using RegistryUnlearn.Worker.Keys;
using RegistryUnlearn.Worker.Verification;

namespace RegistryUnlearn.Cli.Commands;

static class VerifyCommand
{
    public static Command Create(CommandHost host)
    {
        var target = new Argument<string>("version")
        {
            Description = "A folder with the files of a version; with --registry a version, such as digits@2 or digits:production.",
        };
        var registry = RegistryOptions.Registry();
        registry.Required = false;
        var publicKey = new Option<string?>("--public-key")
        {
            Description = "PEM file with the publisher's public key, from a source you trust. Without it nothing is said about who made "
                + "the version, only whether its files, its manifest and its statements agree.",
            HelpName = "file",
        };
        var ignore = new Option<string[]>("--ignore")
        {
            Description = "A file or folder in the version's folder to leave out. May be given several times.",
            HelpName = "path",
            DefaultValueFactory = _ => [],
        };
        var command = new Command("verify", "Check offline that a version is whole, unchanged and signed, and say what that proves.")
        {
            target, registry, publicKey, ignore,
        };
        return host.RunAsync(command, async (parsed, cancellation) =>
        {
            var key = parsed.GetValue(publicKey) is { } path ? KeyFiles.ReadPublic(path) : null;
            var ignored = parsed.GetValue(ignore)!.Select(i => i.TrimEnd('/')).ToList();
            var (files, expected) = await OpenAsync(host, parsed.GetRequiredValue(target), parsed.GetValue(registry), cancellation);
            var report = await VersionVerifier.VerifyAsync(files, key, ignored, expected, cancellation);
            return new Answer(report, screen => Print(report, screen), report.IsVerified ? ExitCodes.Ok : ExitCodes.FailedVerification);
        });
    }

    /// <summary>A folder is read as such, also in a registry: its listing shows links, which a registry passes over.</summary>
    static async Task<(VersionFiles, ExpectedVersion?)> OpenAsync(
        CommandHost host, string target, string? registry, CancellationToken cancellation)
    {
        if (registry is null)
            return (new FolderFiles(target), null);
        var store = RegistryOptions.Open(registry);
        var found = await RegistryVersion.FindAsync(
            store, new JobStore(store, host.Clock), ModelReference.Parse(target), cancellation);
        var folder = Path.Combine(registry, found.Model.ToString(), $"{found.Version}");
        return (Directory.Exists(folder) ? new FolderFiles(folder) : new StoreFiles(store, found.Model, found.Version), found);
    }

    static void Print(VerificationReport report, TextScreen screen)
    {
        screen.Line(report.IsAuthenticated ? "Verified: whole, unchanged, and signed by the given key."
            : report.IsVerified ? "Whole and unchanged; who made it was not checked."
            : "Verification FAILED.");
        screen.Line();
        foreach (var check in report.Checks)
        {
            screen.Line($"{Mark(check.Outcome),-11}  {check.Name}: {check.Detail}");
            foreach (var finding in check.Findings)
                screen.Line($"{"",-11}    {finding}");
        }
        List("Proven", report.Proven);
        List("Not proven", report.NotProven);

        void List(string title, IReadOnlyList<string> sentences)
        {
            if (sentences.Count is 0)
                return;
            screen.Line();
            screen.Line(title);
            foreach (var sentence in sentences)
                screen.Line($"  - {sentence}");
        }
    }

    static string Mark(CheckOutcome outcome) => outcome switch
    {
        CheckOutcome.Passed => "passed",
        CheckOutcome.Failed => "FAILED",
        _ => "not checked",
    };
}
