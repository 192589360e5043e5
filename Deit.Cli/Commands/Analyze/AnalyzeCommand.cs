using System.CommandLine;

namespace Deit.Cli.Commands.Analyze;

/// <summary><c>deit analyze</c>: a look into models. An analysis is a file of this folder and a line here.</summary>
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
