using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;
using System.Globalization;
using Deit.Cli.Terminal;

namespace Deit.Cli.Help;

/// <summary>Prints the help of a command, as wide as the terminal.</summary>
internal sealed class HelpAction : SynchronousCommandLineAction
{
    /// <summary>Makes <c>--help</c> of a program and of all its commands print these pages.</summary>
    /// <param name="root">The program.</param>
    public static void Install(RootCommand root) =>
        root.Options.OfType<HelpOption>().Single().Action = new HelpAction();

    /// <summary>Whether a command line asks for help. Who does so may have left out, or got wrong, everything else.</summary>
    /// <param name="parsed">The command line.</param>
    public static bool IsAsked(ParseResult parsed) =>
        parsed
            .RootCommandResult.Command.Options.OfType<HelpOption>()
            .Any(help => parsed.GetResult(help) is { Implicit: false });

    /// <inheritdoc/>
    public override int Invoke(ParseResult parseResult)
    {
        Print(parseResult.CommandResult.Command);
        return ExitCode.Done;
    }

    /// <summary>Prints the page of a command.</summary>
    /// <param name="command">The command.</param>
    public static void Print(Command command) => Output.Text(HelpText.Of(Page(command), TerminalWidth.Now()));

    /// <summary>The page of a command. That of the program also has what concerns all commands.</summary>
    /// <param name="command">The command.</param>
    public static HelpPage Page(Command command) =>
        command is RootCommand ? HelpPage.Of(command, ExitCodes()) with { Examples = First } : HelpPage.Of(command);

    private static IReadOnlyList<Example> First { get; } =
    [
        new(
            "deit demo",
            "Draws pictures, trains on them, and shows what the model answers: three minutes on two cores."
        ),
        new(
            "deit check shoes",
            "Looks at your pictures before you train: a folder with a folder of pictures for each class."
        ),
        new(
            "deit train --data shoes --recipe finetune --finetune hf:timm/deit_tiny_patch16_224.fb_in1k",
            "Teaches a published model your classes."
        ),
        new("deit predict --model runs/shoes-1/best boot.jpg", "Says what is in a picture."),
    ];

    private static HelpSection ExitCodes() =>
        new(
            "Exit codes",
            [
                .. ExitCode.All.Select(code => new HelpEntry(
                    code.Code.ToString(CultureInfo.InvariantCulture) + (code.Code == ExitCode.Signal ? "+N" : ""),
                    code.Meaning
                )),
            ]
        );
}
