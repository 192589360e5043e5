using System.CommandLine;
using System.CommandLine.Parsing;
using Deit.Cli.Help;
using Deit.Model.Text;

namespace Deit.Cli.Commands;

/// <summary>The first mistake of a command line, in one sentence.</summary>
internal static class ParseErrors
{
    /// <summary>The first mistake and the command that helps; null without a mistake.</summary>
    /// <remarks>A command line that ends before the name of a command is no mistake: help is shown for it.</remarks>
    /// <param name="parsed">The command line.</param>
    /// <param name="words">Its words, as the shell gave them.</param>
    public static string? Sentence(ParseResult parsed, IReadOnlyList<string> words)
    {
        CommandResult command = parsed.CommandResult;
        string? mistake = UnknownFlag(parsed, words) is { } flag ? Unknown(flag, command) : Empty(command, words);
        if (mistake is null)
        {
            if (parsed.Errors is not [var error, ..])
                return null;
            if (command.Command.Subcommands.Count > 0 && parsed.UnmatchedTokens.Count == 0)
                return null;
            mistake = Mistake(parsed, error).TrimEnd('.', '?');
        }
        return $"{mistake}; see {Path(command)} --help.";
    }

    /// <summary>That a word is no command; null where none is wrong. Whoever asks for help gets this in place of another page.</summary>
    /// <param name="parsed">The command line.</param>
    public static string? UnknownCommand(ParseResult parsed) =>
        parsed.CommandResult is { Command.Subcommands.Count: > 0 } command
        && parsed.UnmatchedTokens.FirstOrDefault(word => !word.StartsWith('-')) is { } unknown
            ? $"{Unknown(unknown, command)}; see {Path(command)} --help."
            : null;

    // The parser takes an unknown flag for an argument where the command has one, and for the value of a flag before it. After
    // "--" come arguments alone, and "-" stands for the standard input.
    private static string? UnknownFlag(ParseResult parsed, IReadOnlyList<string> words)
    {
        HashSet<Token> arguments = new(ReferenceEqualityComparer.Instance),
            values = new(ReferenceEqualityComparer.Instance);
        Command command = parsed.CommandResult.Command;
        arguments.UnionWith(command.Arguments.SelectMany(argument => parsed.GetResult(argument)?.Tokens ?? []));
        values.UnionWith(command.Options.SelectMany(option => parsed.GetResult(option)?.Tokens ?? []));
        return parsed
            .Tokens.TakeWhile(token => token.Type != TokenType.DoubleDash)
            .FirstOrDefault(token =>
                token.Value is ['-', _, ..]
                && (
                    arguments.Contains(token)
                    || (token.Type == TokenType.Argument && parsed.UnmatchedTokens.Contains(token.Value))
                    // A value may begin with dashes where it hangs on its flag, as in --output=--odd.
                    || (
                        token.Value.StartsWith("--", StringComparison.Ordinal)
                        && values.Contains(token)
                        && words.Contains(token.Value)
                    )
                )
            )
            ?.Value;
    }

    private static string Unknown(string unknown, CommandResult command)
    {
        string file = unknown.StartsWith('-') && System.IO.Path.Exists(unknown) ? $", and the file is ./{unknown}" : "";
        return $"'{unknown}' is no {Kind(unknown)} of {Path(command)}{Meant(unknown, command)}{file}";
    }

    // A shell gives an empty word for a variable in quotes that is not set.
    private static string? Empty(CommandResult result, IReadOnlyList<string> words)
    {
        Command command = result.Command;
        IEnumerable<(string Name, string Expected)> empty =
        [
            .. command
                .Arguments.Where(argument => HasEmpty(result.GetResult(argument)?.Tokens))
                .Select(argument => (argument.Name, "a value")),
            .. command
                .Options.Where(option =>
                    words.Contains($"{option.Name}=") || HasEmpty(result.GetResult(option)?.Tokens)
                )
                .Where(option => option.ValueType == typeof(string) || option.ValueType == typeof(string[]))
                .Select(option => (option.Name, HelpPage.ExplanationOf(command, option).Value ?? "a value"))
                // Free text may be empty.
                .Where(option => option.Item2 != "TEXT"),
        ];
        return empty.FirstOrDefault() is (Name: { } name, Expected: var expected)
            ? $"{name} is '', expected {expected}; perhaps a variable of the shell is not set"
            : null;
    }

    private static bool HasEmpty(IReadOnlyList<Token>? tokens) => tokens?.Any(token => token.Value.Length == 0) == true;

    private static string Mistake(ParseResult parsed, ParseError error)
    {
        if (parsed.UnmatchedTokens is [var unknown, ..])
            return Unknown(unknown, parsed.CommandResult);
        if (Missing(parsed) is { Length: > 0 } missing)
            return $"{Path(parsed.CommandResult)} needs {Several(missing)}, and {(missing.Length == 1 ? "it was" : "they were")} not given"
                + ModelAmong(parsed, missing);
        (string name, Type type, IReadOnlyList<Token> tokens) = error.SymbolResult switch
        {
            OptionResult { Option: var option } result => (option.Name, option.ValueType, result.Tokens),
            ArgumentResult { Argument: var argument } result => (argument.Name, argument.ValueType, result.Tokens),
            _ => ("", typeof(string), []),
        };
        // The parser quotes the wrong value, which may hold anything, and gives each choice a line of its own.
        string? value = tokens
            .Select(token => token.Value)
            .FirstOrDefault(token => error.Message.Contains($"'{token}'", StringComparison.Ordinal));
        if (value is not null)
        {
            string message = error.Message.Replace($"'{value}'", "", StringComparison.Ordinal);
            string[] lines = message.Split(
                '\n',
                StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries
            );
            string[] choices = [.. lines[1..].Select(choice => choice.Trim('\''))];
            if (choices.Length > 0)
                return $"{name} is '{value}', expected {string.Join(", ", choices)}";
            if (lines[0].StartsWith("Cannot parse", StringComparison.Ordinal))
                return $"{name} is '{value}', expected {Expected(type, value)}";
        }
        return string.Join(' ', error.Message.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));
    }

    // Other programs take the model as their first argument.
    private static string ModelAmong(ParseResult parsed, string[] missing) =>
        missing.Contains("--model")
        && parsed
            .CommandResult.Command.Arguments.SelectMany(argument => parsed.GetResult(argument)?.Tokens ?? [])
            .FirstOrDefault(token => ForeignWords.IsModel(token.Value))
            is { } model
            ? $", did you mean --model {model.Value}"
            : "";

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
        string name = unknown.Split('=')[0];
        bool isFlag = unknown.StartsWith('-');
        if (isFlag && ForeignWords.IsPictures(name, command))
            return ", pictures are given without a flag";
        if ((isFlag ? ForeignWords.Flag(name, command) : ForeignWords.Word(unknown, command)) is { } meant)
            return $", did you mean {meant}";
        IEnumerable<string> known = isFlag
            ? command.Options.Where(option => !option.Hidden).Select(option => option.Name)
            : command.Subcommands.Where(inner => !inner.Hidden).Select(inner => inner.Name);
        string[] near = NearestNames.Of(name, known);
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
