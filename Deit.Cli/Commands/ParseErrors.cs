using System.CommandLine;
using System.CommandLine.Parsing;
using Deit.Model.Text;

namespace Deit.Cli.Commands;

/// <summary>The first mistake of a command line, in one sentence.</summary>
internal static class ParseErrors
{
    /// <summary>The first mistake and the command that helps; null without a mistake.</summary>
    /// <remarks>A command line that ends before the name of a command is no mistake: help is shown for it.</remarks>
    /// <param name="parsed">The command line.</param>
    public static string? Sentence(ParseResult parsed)
    {
        if (parsed.Errors is not [var error, ..])
            return null;
        CommandResult command = parsed.CommandResult;
        if (command.Command.Subcommands.Count > 0 && parsed.UnmatchedTokens.Count == 0)
            return null;
        return $"{Mistake(parsed, error).TrimEnd('.', '?')}; see {Path(command)} --help.";
    }

    private static string Mistake(ParseResult parsed, ParseError error)
    {
        if (parsed.UnmatchedTokens is [var unknown, ..])
            return $"'{unknown}' is no {Kind(unknown)} of {Path(parsed.CommandResult)}{Meant(unknown, parsed.CommandResult)}";
        if (Missing(parsed) is { Length: > 0 } missing)
            return $"{Path(parsed.CommandResult)} needs {Several(missing)}, and {(missing.Length == 1 ? "it was" : "they were")} not given";
        // The parser quotes the wrong value, which may hold anything, and gives each choice a line of its own.
        string? value = (error.SymbolResult as OptionResult)
            ?.Tokens.Select(token => token.Value)
            .FirstOrDefault(token => error.Message.Contains($"'{token}'", StringComparison.Ordinal));
        string message = value is null
            ? error.Message
            : error.Message.Replace($"'{value}'", "", StringComparison.Ordinal);
        string[] lines = message.Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        if (value is not null && error.SymbolResult is OptionResult option)
        {
            string[] choices = [.. lines[1..].Select(choice => choice.Trim('\''))];
            if (choices.Length > 0)
                return $"{option.Option.Name} is '{value}', expected {string.Join(", ", choices)}";
            if (lines[0].StartsWith("Cannot parse", StringComparison.Ordinal))
                return $"{option.Option.Name} is '{value}', expected {Expected(option.Option.ValueType, value)}";
        }
        return string.Join(
            ' ',
            error.Message.ReplaceLineEndings(" ").Split(' ', StringSplitOptions.RemoveEmptyEntries)
        );
    }

    // Everything that must be given and was not, so that it is mended in one go.
    private static string[] Missing(ParseResult parsed)
    {
        Command command = parsed.CommandResult.Command;
        return
        [
            .. command
                .Arguments.Where(argument =>
                    argument.Arity.MinimumNumberOfValues > (parsed.GetResult(argument)?.Tokens.Count ?? 0)
                )
                .Select(argument => argument.Name),
            .. command
                .Options.Where(option => option.Required && parsed.GetResult(option) is not { Implicit: false })
                .Select(option => option.Name),
        ];
    }

    private static string Several(string[] names) =>
        names.Length == 1 ? names[0] : $"{string.Join(", ", names[..^1])} and {names[^1]}";

    private static string Kind(string unknown) => unknown.StartsWith('-') ? "flag" : "command or argument";

    // A value may hang on the flag, as in --bach-size=8.
    private static string Meant(string unknown, CommandResult result)
    {
        Command command = result.Command;
        IEnumerable<string> known = unknown.StartsWith('-')
            ? command.Options.Where(option => !option.Hidden).Select(option => option.Name)
            : command.Subcommands.Where(inner => !inner.Hidden).Select(inner => inner.Name);
        string[] near = NearestNames.Of(unknown.Split('=')[0], known);
        return near.Length == 0 ? "" : $", did you mean {string.Join(" or ", near)}";
    }

    private static string Expected(Type type, string value)
    {
        Type one = type.GetElementType() ?? type;
        return Type.GetTypeCode(Nullable.GetUnderlyingType(one) ?? one) switch
        {
            TypeCode.Int32 or TypeCode.Int64 or TypeCode.Double => NumberOption.Expected(one, value),
            TypeCode.Boolean => "true or false",
            _ => "another value",
        };
    }

    // The names from the root to a command, as "deit bench ops".
    private static string Path(CommandResult command)
    {
        string name = command.Command is RootCommand ? "deit" : command.Command.Name;
        return command.Parent is CommandResult parent ? $"{Path(parent)} {name}" : name;
    }
}
