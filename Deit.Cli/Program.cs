using System.CommandLine;
using System.Globalization;
using Deit;
using Deit.Cli.Commands;
using Deit.Cli.Commands.Root;
using Deit.Cli.Help;
using Deit.Cli.Terminal;

// Numbers look the same everywhere, and mean the same: files and scripts go from one machine to another.
CultureInfo.CurrentCulture = CultureInfo.CurrentUICulture = CultureInfo.InvariantCulture;
CultureInfo.DefaultThreadCurrentCulture = CultureInfo.DefaultThreadCurrentUICulture = CultureInfo.InvariantCulture;
RankProcess.PrepareConsole();
ConsoleWriter.Install();
HubTerminal hub = HubTerminal.Install();

// Made before everything that holds signals back: the last one that listens is asked first.
using EarlyEnd earlyEnd = new();
LastHandler handler = new(
    args,
    sentence =>
    {
        hub.EndLine();
        RankProcess.LetFirstSpeak();
        Output.Error(sentence);
    },
    Environment.CurrentDirectory,
    Path.GetTempPath()
);
handler.CatchOtherThreads();
int code = handler.Run(() =>
{
    RootCommand root = DeitCommands.Create();
    // A picture may be called @1.png: names that begin so are no files with further arguments.
    ParseResult parsed = root.Parse(args, new ParserConfiguration { ResponseFileTokenReplacer = null });
    bool helps = HelpAction.IsAsked(parsed);
    if ((helps ? ParseErrors.UnknownCommand(parsed) : ParseErrors.Sentence(parsed, args)) is { } sentence)
        throw new DeitException(DeitErrorKind.Usage, sentence);
    // A command line that ends before the name of a command asks what there is.
    if (helps || parsed.Errors.Count > 0)
    {
        HelpAction.Print(parsed.CommandResult.Command);
        return ExitCode.Done;
    }
    // The handler prints one sentence instead of a stack trace. Commands handle signals themselves.
    return parsed.Invoke(
        new InvocationConfiguration
        {
            EnableDefaultExceptionHandler = false,
            ProcessTerminationTimeout = null,
            Output = Console.Out,
            Error = Console.Error,
        }
    );
});
RankProcess.AbortUnlessLeft(code);
return code;
