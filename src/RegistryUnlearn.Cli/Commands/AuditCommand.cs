using System.CommandLine;
using System.Globalization;
using RegistryUnlearn.Registry;

namespace RegistryUnlearn.Cli.Commands;

/// <summary>
/// The registry's audit log: <c>audit list</c> and <c>audit verify</c>; and audits of models: <c>audit oracles</c>, <c>audit inversion</c>.
/// </summary>
static class AuditCommand
{
    public static Command Create(CommandHost host) =>
        new("audit", "Look at the audit log of a registry: what was published, failed, cancelled, promoted, retired, removed. "
            + "Train the models that audits of unlearning compare with.")
        {
            AuditOraclesCommand.Create(host),
            AuditInversionCommand.Create(host),
            List(host),
            Verify(host),
        };

    static Command List(CommandHost host)
    {
        var registry = RegistryOptions.Registry();
        return host.RunAsync(new Command("list", "All entries, oldest first.") { registry }, async (parsed, cancellation) =>
        {
            var lines = await new AuditLog(RegistryOptions.Open(parsed.GetRequiredValue(registry))).ReadAsync(cancellation)
                .ToListAsync(cancellation);
            return new Answer(lines.Select(l => l.Entry), screen => screen.Table(["time", "event", "subject", "details"],
                lines.Select(l => (string[])
                [
                    l.Entry.Time.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss'Z'", CultureInfo.InvariantCulture), l.Entry.Event,
                    l.Entry.Subject, string.Join(", ", l.Entry.Details.Select(d => $"{d.Key} {d.Value}")),
                ])));
        });
    }

    static Command Verify(CommandHost host)
    {
        var registry = RegistryOptions.Registry();
        var command = new Command("verify", "Check the hash chain of the audit log: no line changed, removed or inserted.") { registry };
        return host.RunAsync(command, async (parsed, cancellation) =>
        {
            var log = new AuditLog(RegistryOptions.Open(parsed.GetRequiredValue(registry)));
            try
            {
                var (lines, head) = await log.VerifyAsync(cancellation);
                return new Answer(new VerifyAnswer(true, lines, head.ToString(), null), screen =>
                {
                    screen.Line($"{lines} lines, each following from the one before.");
                    screen.Line($"Head  {head}");
                    screen.Line("Keep the head elsewhere: lines cut off at the end show only against a head that was kept.");
                });
            }
            catch (RegistryException e) when (e.Kind is RegistryErrorKind.Corrupt)
            {
                return new Answer(
                    new VerifyAnswer(false, null, null, e.Message), screen => screen.Line(e.Message), ExitCodes.FailedVerification);
            }
        });
    }

    /// <param name="Message">What is wrong; null when nothing is.</param>
    sealed record VerifyAnswer(bool IsVerified, long? Lines, string? Head, string? Message);
}
