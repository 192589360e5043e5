using System.CommandLine;

namespace Deit.Cli.Help;

/// <summary>
/// Everything that help tells of a command. The text on a terminal, the manual page, the book and the completion of
/// shells are made from it, so that they cannot differ.
/// </summary>
/// <param name="Path">The names from the program on, as <c>deit bench ops</c>.</param>
/// <param name="Description">A sentence on what the command does.</param>
/// <param name="Usage">The form of its command line.</param>
/// <param name="Examples">Command lines to copy.</param>
/// <param name="Sections">Arguments, commands and flags, by concern.</param>
internal sealed record HelpPage(
    string Path,
    string Description,
    string Usage,
    IReadOnlyList<Example> Examples,
    IReadOnlyList<HelpSection> Sections
)
{
    private const string Help = "--help";

    /// <summary>The page of a command.</summary>
    /// <param name="command">The command, one of the program's.</param>
    /// <param name="further">Sections that follow those of the command.</param>
    public static HelpPage Of(Command command, params IEnumerable<HelpSection> further)
    {
        string path = PathOf(command);
        Option[] flags = [.. Flags(command)];
        string usage = string.Join(
            ' ',
            (string[])
                [
                    path,
                    .. command.Subcommands.Count > 0 ? ["COMMAND"] : (string[])[],
                    .. command.Arguments.Where(argument => !argument.Hidden).Select(Form),
                    .. flags.Length > 0 ? ["[FLAGS]"] : (string[])[],
                ]
        );
        return new HelpPage(
            path,
            command.Description ?? "",
            usage,
            command is ExplainedCommand explained ? explained.Examples : [],
            [.. Commands(command), .. Arguments(command), .. FlagSections(command, flags), .. further]
        );
    }

    /// <summary>A command and all commands in it, from the outside in. Hidden ones are left out.</summary>
    /// <param name="command">The command.</param>
    public static IEnumerable<Command> All(Command command) =>
        command.Subcommands.Where(inner => !inner.Hidden).SelectMany(All).Prepend(command);

    /// <summary>The names from the program to a command.</summary>
    /// <param name="command">The command.</param>
    public static string PathOf(Command command) =>
        command is RootCommand ? "deit"
        : command.Parents.OfType<Command>().FirstOrDefault() is { } parent ? $"{PathOf(parent)} {command.Name}"
        : command.Name;

    /// <summary>The flags of a command that are told of, those that turn another one off left out.</summary>
    /// <param name="command">The command.</param>
    public static IEnumerable<Option> Flags(Command command)
    {
        HashSet<string> negations =
        [
            .. command.Options.Select(option => ExplanationOf(command, option).Negation).OfType<string>(),
        ];
        return command.Options.Where(option =>
            !option.Hidden && !negations.Contains(option.Name) && option.Name != Help
        );
    }

    /// <summary>What is told of a flag.</summary>
    /// <param name="command">The command.</param>
    /// <param name="option">The flag.</param>
    public static Explanation ExplanationOf(Command command, Option option) =>
        (command as ExplainedCommand)?.Of(option) ?? new Explanation(Explanation.Rest);

    private static string Form(Argument argument)
    {
        string name = argument.Arity.MaximumNumberOfValues > 1 ? $"{argument.Name}..." : argument.Name;
        return argument.Arity.MinimumNumberOfValues > 0 ? name : $"[{name}]";
    }

    private static IEnumerable<HelpSection> Commands(Command command) =>
        command
            .Subcommands.Where(inner => !inner.Hidden)
            .GroupBy(inner => (inner as ExplainedCommand)?.Concern ?? "Commands")
            .Select(group => new HelpSection(
                group.Key,
                [.. group.Select(inner => new HelpEntry(inner.Name, inner.Description ?? ""))]
            ));

    private static IEnumerable<HelpSection> Arguments(Command command)
    {
        HelpEntry[] arguments =
        [
            .. command
                .Arguments.Where(argument => !argument.Hidden)
                .Select(argument => new HelpEntry(Form(argument), argument.Description ?? "")),
        ];
        return arguments.Length == 0 ? [] : [new HelpSection("Arguments", arguments)];
    }

    private static IEnumerable<HelpSection> FlagSections(Command command, Option[] flags) =>
        flags
            .GroupBy(option => ExplanationOf(command, option).Concern)
            .Select(group => new HelpSection(group.Key, [.. group.Select(option => Entry(command, option))]));

    private static HelpEntry Entry(Command command, Option option)
    {
        Explanation explanation = ExplanationOf(command, option);
        const int ShortChoices = 26;
        string choices = string.Join('|', explanation.Choices ?? []);
        bool inTerm = choices.Length is > 0 and <= ShortChoices;
        string? value = inTerm ? choices : explanation.Value;
        string text = option.Description ?? "";
        // Some descriptions explain every choice.
        if (
            choices.Length > 0
            && !inTerm
            && !explanation.Choices!.All(choice => text.Contains(choice, StringComparison.Ordinal))
        )
            text += $"; {value} is {Alternatives(explanation.Choices!)}";
        if (option.Required)
            text += " (must be given)";
        else if (explanation.Default is { } initial)
            text += $" (default: {initial})";
        string negation = explanation.Negation is { } off ? $", {off}" : "";
        return new HelpEntry(option.Name + (value is null ? "" : $" {value}") + negation, text);
    }

    private static string Alternatives(IReadOnlyList<string> names) =>
        $"{string.Join(", ", names.SkipLast(1))} or {names[^1]}";
}

/// <summary>What help tells under one heading.</summary>
/// <param name="Title">The heading.</param>
/// <param name="Entries">The entries.</param>
internal sealed record HelpSection(string Title, IReadOnlyList<HelpEntry> Entries);

/// <summary>A flag, a command or an argument, and its explanation.</summary>
/// <param name="Term">The word, as <c>--epochs N</c>.</param>
/// <param name="Text">The explanation.</param>
internal sealed record HelpEntry(string Term, string Text);
