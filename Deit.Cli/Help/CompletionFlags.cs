using System.CommandLine;
using System.CommandLine.Completions;
using Deit.Model;
using Deit.Train.Options;

namespace Deit.Cli.Help;

/// <summary>What a shell can offer behind a flag or an argument.</summary>
internal enum CompletionKind
{
    /// <summary>Nothing: a number, or free text.</summary>
    None,

    /// <summary>Words to choose from.</summary>
    Words,

    /// <summary>Folders.</summary>
    Folders,

    /// <summary>Files and folders.</summary>
    Files,
}

/// <summary>A flag as completion needs it.</summary>
/// <param name="Name">The flag with its dashes.</param>
/// <param name="Text">The beginning of its explanation, on one line and short.</param>
/// <param name="TakesValue">Whether a value follows.</param>
/// <param name="Kind">The kind of that value.</param>
/// <param name="Words">The values to choose from.</param>
internal sealed record CompletionFlag(
    string Name,
    string Text,
    bool TakesValue,
    CompletionKind Kind,
    IReadOnlyList<string> Words
);

/// <summary>A command as completion needs it.</summary>
/// <param name="Path">The names from the program on.</param>
/// <param name="Commands">The commands in it, or words to choose from, and the beginnings of their explanations.</param>
/// <param name="Flags">Its flags.</param>
/// <param name="TakesFiles">Whether files are its arguments.</param>
internal sealed record CompletionCommand(
    string Path,
    IReadOnlyList<(string Name, string Text)> Commands,
    IReadOnlyList<CompletionFlag> Flags,
    bool TakesFiles
)
{
    private const int LongestText = 60;
    private const string HelpName = "help";

    /// <summary>All commands of a program.</summary>
    /// <param name="root">The program.</param>
    public static IReadOnlyList<CompletionCommand> All(RootCommand root) =>
        [.. HelpPage.All(root).SelectMany(command => With(command, root))];

    // A word that is chosen is a command of its own to a shell: what may follow it is told in the same way.
    private static IEnumerable<CompletionCommand> With(Command command, RootCommand root)
    {
        string path = HelpPage.PathOf(command);
        string[] choices =
        [
            .. command
                .Arguments.Where(argument => !argument.Hidden)
                .SelectMany(argument => argument.GetCompletions(CompletionContext.Empty))
                .Select(choice => choice.Label),
        ];
        (string, string)[] inner = command.Name == HelpName ? Inner(root) : Inner(command);
        yield return new CompletionCommand(
            path,
            [.. inner, .. choices.Select(choice => (choice, ""))],
            [.. HelpPage.Flags(command).SelectMany(option => Of(command, option)), Help],
            choices.Length == 0
                && command.Arguments.Any(argument => !argument.Hidden && argument.Name is not ("COMMAND" or "NAME"))
        );
        foreach (string choice in choices)
            yield return new CompletionCommand($"{path} {choice}", [], [Help], false);
        if (command.Name == HelpName)
            foreach (Command explained in HelpPage.All(root).Skip(1))
                yield return new CompletionCommand(
                    $"{path}{HelpPage.PathOf(explained)[HelpPage.PathOf(root).Length..]}",
                    Inner(explained),
                    [Help],
                    false
                );
    }

    private static (string Name, string Text)[] Inner(Command command) =>
        [.. command.Subcommands.Where(inner => !inner.Hidden).Select(inner => (inner.Name, Short(inner.Description)))];

    private static readonly CompletionFlag Help = new("--help", "Show help", false, CompletionKind.None, []);

    private static IEnumerable<CompletionFlag> Of(Command command, Option option)
    {
        Explanation explanation = HelpPage.ExplanationOf(command, option);
        string text = Short(option.Description);
        string[] words = Words(explanation);
        CompletionKind kind =
            words.Length > 0 ? CompletionKind.Words
            : explanation.Value is null ? CompletionKind.None
            : explanation.Value.StartsWith("DIR", StringComparison.Ordinal) ? CompletionKind.Folders
            : explanation.Value.StartsWith("FILE", StringComparison.Ordinal) || explanation.Value == "WEIGHTS"
                ? CompletionKind.Files
            : CompletionKind.None;
        yield return new CompletionFlag(option.Name, text, explanation.Value is not null, kind, words);
        if (explanation.Negation is { } negation)
            yield return new CompletionFlag(negation, $"Without {option.Name}", false, CompletionKind.None, []);
    }

    private static string[] Words(Explanation explanation) =>
        explanation.Choices is { Count: > 0 } choices
            ? [.. choices]
            : explanation.Value?.TrimEnd('.') switch
            {
                "MODEL" => [.. NetworkFamilies.Names],
                "RECIPE" => [.. Recipe.Names],
                "SPLIT" => ["train", "val", "test", "all"],
                _ => [],
            };

    // The first clause, without what shells would read as their own.
    private static string Short(string? text)
    {
        string clause = (text ?? "").Split([';', ':', '('])[0].Trim().TrimEnd('.');
        string plain = string.Concat(clause.Where(letter => !"'\"[]`$\\".Contains(letter)));
        return plain.Length <= LongestText ? plain : plain[..(LongestText - 1)] + "…";
    }
}
