using System.CommandLine;

namespace Deit.Cli.Commands;

/// <summary><c>deit analyze</c>: what models do, beyond how often they are right.</summary>
internal static class AnalyzeCommand
{
    public static Command Create() =>
        new("analyze", "Look into models: where they differ, what their tokens hold, where they look.")
        {
            DisagreementCommand.Create(),
            TokensCommand.Create(),
            AttentionCommand.Create(),
        };
}
