using System.CommandLine;
using System.CommandLine.Parsing;

namespace Deit.Cli.Commands;

/// <summary>What is wrong with a command line, in one sentence.</summary>
internal static class ParseErrors
{
    /// <summary>The first mistake and where help is; null where there is none, or where nothing but a command is missing, for which help is shown.</summary>
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
            return $"'{unknown}' is no flag or command of {Path(parsed.CommandResult)}";
        // The value is quoted first; a list of choices has a line each.
        string[] lines = error.Message.Split(
            '\n',
            StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries
        );
        if (
            error.SymbolResult is OptionResult { Tokens.Count: > 0 } option
            && lines[0].Split('\'') is [_, var value, _, ..]
        )
        {
            if (lines.Length > 1)
                return $"{option.Option.Name} is '{value}', expected {string.Join(", ", lines[1..].Select(choice => choice.Trim('\'')))}";
            if (lines[0].StartsWith("Cannot parse", StringComparison.Ordinal))
                return $"{option.Option.Name} is '{value}', expected {Expected(option.Option.ValueType)}";
        }
        return string.Join(' ', lines);
    }

    private static string Expected(Type type) =>
        Type.GetTypeCode(
            Nullable.GetUnderlyingType(type.GetElementType() ?? type) ?? type.GetElementType() ?? type
        ) switch
        {
            TypeCode.Int32 or TypeCode.Int64 => "a whole number",
            TypeCode.Double => "a number",
            TypeCode.Boolean => "true or false",
            _ => "another value",
        };

    private static string Path(CommandResult? command) =>
        command is null
            ? ""
            : $"{(command.Parent is CommandResult parent ? $"{Path(parent)} " : "")}{(command.Command is RootCommand ? "deit" : command.Command.Name)}";
}
