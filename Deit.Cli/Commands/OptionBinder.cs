using System.CommandLine;
using System.Reflection;
using Deit.Cli.Help;
using Deit.Model.Images;
using Deit.Train.Options;

namespace Deit.Cli.Commands;

/// <summary>Gives a command the flags of a record of options, and makes such a record of a parsed command line.</summary>
/// <typeparam name="T">The record; see <see cref="FlagSet{T}"/>.</typeparam>
internal sealed class OptionBinder<T>
    where T : class, new()
{
    private readonly List<BoundFlag> _bound = [];

    /// <summary>Adds the flags to a command. A flag that is on by default gets a second one, <c>--no-…</c>, that turns it off.</summary>
    /// <param name="command">The command.</param>
    public OptionBinder(Command command)
    {
        T defaults = new();
        foreach (Flag flag in FlagSet<T>.All)
        {
            object? initial = flag.Of(defaults);
            (Option option, Func<ParseResult, object?> value) = Create(flag, initial);
            string? negated = initial is true ? $"--no-{option.Name[2..]}" : null;
            command.Add(option);
            (command as ExplainedCommand)?.Explain(option, Explained(flag, initial) with { Negation = negated });
            _bound.Add(new BoundFlag(flag, option, value));
            if (negated is null)
                continue;
            Option<bool> negation = new(negated) { Description = $"without {option.Name}, which is on" };
            command.Add(negation);
            _bound.Add(new BoundFlag(flag, negation, result => !result.GetValue(negation)));
        }
    }

    /// <summary>The record that a command line describes.</summary>
    /// <param name="result">The command line.</param>
    /// <param name="start">The values of flags that were not given; the defaults without it.</param>
    public T Bind(ParseResult result, T? start = null) =>
        FlagSet<T>.With(start ?? new T(), Given(result).Select(bound => (bound.Flag, bound.Value(result))));

    /// <summary>The flags that the user typed.</summary>
    /// <param name="result">The command line.</param>
    public IEnumerable<BoundFlag> Given(ParseResult result) =>
        _bound.Where(bound => result.GetResult(bound.Option) is { Implicit: false });

    private static Explanation Explained(Flag flag, object? initial) =>
        new(flag.Concern, flag.ValueName, Default(initial), flag.Type == typeof(bool) ? [] : flag.Choices);

    private static string? Default(object? initial) =>
        initial switch
        {
            null or false or "" => null,
            true => "on",
            Array { Length: 0 } => null,
            Array several => string.Join(' ', several.Cast<object>().Select(FlagValue.Text)),
            _ => FlagValue.Text(initial),
        };

    private static (Option, Func<ParseResult, object?>) Create(Flag flag, object? initial)
    {
        if (FlagValue.IsNamed(flag.Type))
        {
            (Option option, Func<ParseResult, object?> text) = CreateOf(flag, FlagValue.Text(initial));
            return (option, result => text(result) is string name ? FlagValue.Parse(flag.Type, name) : null);
        }
        MethodInfo create = typeof(OptionBinder<T>)
            .GetMethod(nameof(CreateOf), BindingFlags.NonPublic | BindingFlags.Static)!
            .MakeGenericMethod(flag.Type);
        return ((Option, Func<ParseResult, object?>))create.Invoke(null, [flag, initial])!;
    }

    private static (Option, Func<ParseResult, object?>) CreateOf<TValue>(Flag flag, TValue initial)
    {
        Option<TValue> option = NumberOption.Strict(
            new Option<TValue>(flag.Name) { Description = flag.Attribute.Help, Required = flag.Attribute.Required }
        );
        if (!flag.Attribute.Required)
            option.DefaultValueFactory = _ => initial;
        if (option is Option<ImageSize?> size)
            size.CustomParser = argument => ImageSize.Parse(argument.Tokens[0].Value);
        if (option is Option<EpochList> epochs)
        {
            epochs.Arity = ArgumentArity.OneOrMore;
            epochs.CustomParser = argument => EpochList.Parse(string.Join(',', argument.Tokens.Select(t => t.Value)));
        }
        if (typeof(TValue).IsArray || typeof(TValue) == typeof(EpochList))
            option.AllowMultipleArgumentsPerToken = true;
        if (flag.Choices.Count > 0)
            option.AcceptOnlyFromAmong([.. flag.Choices]);
        return (option, result => result.GetValue(option));
    }

    /// <summary>A flag and the option of the command that sets it.</summary>
    /// <param name="Flag">The flag.</param>
    /// <param name="Option">The option of the command, of another name where it turns the flag off.</param>
    /// <param name="Value">The flag's value on a command line that has the option.</param>
    internal sealed record BoundFlag(Flag Flag, Option Option, Func<ParseResult, object?> Value);
}
