using System.CommandLine;
using Deit.Cli.Help;
using Deit.Cli.Terminal;
using Deit.Model.Text;

namespace Deit.Cli.Commands;

/// <summary><c>deit help</c>: the help of the program or of a command.</summary>
internal static class HelpCommand
{
    public static Command Create(RootCommand root)
    {
        Argument<string[]> names = new("COMMAND")
        {
            Description = "the command, as train or bench ops; all commands without it",
            Arity = ArgumentArity.ZeroOrMore,
        };
        ExplainedCommand command = new(
            "help",
            "Show the help of a command.",
            new Example("deit help", "Lists the commands."),
            new Example("deit help train", "Shows the flags of a command by concern."),
            new Example("deit help bench ops", "Shows the help of a command in a command.")
        );
        command.Add(names);
        command.SetAction(result =>
        {
            HelpAction.Print(result.GetValue(names)!.Aggregate((Command)root, Inner));
            return ExitCode.Done;
        });
        return command;
    }

    private static Command Inner(Command outer, string name) =>
        outer.Subcommands.FirstOrDefault(inner => inner.Name == name)
        ?? throw new DeitException(
            DeitErrorKind.Usage,
            NearestNames.Question(name, outer.Subcommands.Select(inner => inner.Name)) is { } question
                ? $"'{name}' is no command of {HelpPage.PathOf(outer)}, {question}; deit help lists the commands."
                : $"'{name}' is no command of {HelpPage.PathOf(outer)}; deit help lists the commands."
        );
}
