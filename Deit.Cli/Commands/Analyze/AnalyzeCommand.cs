using System.CommandLine;
using Deit.Cli.Help;

namespace Deit.Cli.Commands.Analyze;

/// <summary><c>deit analyze</c>: a look into models. An analysis is a file of this folder and a line here.</summary>
internal static class AnalyzeCommand
{
    public static Command Create() =>
        new ExplainedCommand(
            "analyze",
            "Look into models: where they differ, what their tokens hold, where they look.",
            new Example("deit analyze attention --model runs/shoes-1/best boot.jpg", "Draws where a model looks."),
            new Example(
                "deit analyze disagreement --models runs/a/best runs/b/best --data shoes",
                "Shows how often two models answer differently."
            ),
            new Example(
                "deit analyze tokens --model runs/student/best --data shoes",
                "Compares the tokens of a distilled model."
            )
        )
        {
            DisagreementCommand.Create(),
            TokensCommand.Create(),
            AttentionCommand.Create(),
        };
}
