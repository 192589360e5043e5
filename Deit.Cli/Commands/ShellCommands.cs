using System.CommandLine;
using System.Reflection;
using Deit.Cli.Help;
using Deit.Cli.Terminal;
using Deit.Train.Reporting;

namespace Deit.Cli.Commands;

/// <summary><c>deit completion</c> and <c>deit man</c>: what shells and manuals have of the program.</summary>
internal static class ShellCommands
{
    /// <summary>Makes <c>deit completion</c>.</summary>
    /// <param name="root">The program.</param>
    public static Command Completion(RootCommand root)
    {
        Argument<string> shell = new("SHELL") { Description = string.Join(", ", CompletionScript.Shells) };
        shell.AcceptOnlyFromAmong([.. CompletionScript.Shells]);
        ExplainedCommand command = new(
            "completion",
            "Print the script by which a shell completes the commands, flags and values of deit.",
            new Example("source <(deit completion bash)", "Completes in this shell; in ~/.bashrc, in every one."),
            new Example("deit completion fish > ~/.config/fish/completions/deit.fish", "Completes in every fish."),
            new Example("deit completion pwsh | Out-String | Invoke-Expression", "Completes in this PowerShell.")
        )
        {
            shell,
        };
        command.SetAction(result =>
        {
            Output.Text(CompletionScript.Of(result.GetValue(shell)!, CompletionCommand.All(root)));
            return ExitCode.Done;
        });
        return command;
    }

    /// <summary>Makes <c>deit man</c>.</summary>
    /// <param name="root">The program.</param>
    public static Command Man(RootCommand root)
    {
        Argument<string> folder = new("DIR") { Description = "folder for the pages; made where there is none" };
        ExplainedCommand command = new(
            "man",
            "Write a manual page for each command, for man(1).",
            new Example("deit man ~/.local/share/man/man1", "Makes man deit, man deit-train and the others work."),
            new Example("deit man man && man man/deit-train.1", "Shows one without installing it.")
        )
        {
            folder,
        };
        command.SetAction(result =>
        {
            string place = result.GetValue(folder)!;
            Report.MakeFolder(place, "DIR");
            HelpPage[] pages = [.. HelpPage.All(root).Select(HelpAction.Page)];
            foreach (HelpPage page in pages)
                Report.WriteText(Path.Combine(place, ManualPage.FileOf(page)), ManualPage.Of(page, Version, pages));
            Output.Line($"{pages.Length} pages in {place}");
            return ExitCode.Done;
        });
        return command;
    }

    private static string Version { get; } =
        typeof(ShellCommands)
            .Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()!
            .InformationalVersion.Split('+')[0];
}
