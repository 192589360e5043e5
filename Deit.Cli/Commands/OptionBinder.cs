using System.CommandLine;
using System.Reflection;
using System.Text;
using Deit.Model.Images;
using Deit.Train.Options;

namespace Deit.Cli.Commands;

/// <summary>Turns the properties of an options record into flags of a command, and a parsed command line into the record.</summary>
internal sealed class OptionBinder<T>
    where T : class, new()
{
    private readonly List<(PropertyInfo Property, Option Option, Func<ParseResult, object?> Value)> _bound = [];
    private readonly Dictionary<PropertyInfo, Option<bool>> _negations = [];

    public OptionBinder(Command command)
    {
        T defaults = new();
        foreach (PropertyInfo property in typeof(T).GetProperties())
            if (property.GetCustomAttribute<FlagAttribute>() is { } flag)
            {
                MethodInfo create = typeof(OptionBinder<T>)
                    .GetMethod(nameof(Create), BindingFlags.NonPublic | BindingFlags.Static)!
                    .MakeGenericMethod(property.PropertyType);
                (Option option, Func<ParseResult, object?> value) = ((Option, Func<ParseResult, object?>))
                    create.Invoke(null, [FlagName(property.Name), flag, property.GetValue(defaults)])!;
                command.Add(option);
                _bound.Add((property, option, value));
                if (property.GetValue(defaults) is true)
                {
                    Option<bool> negation = new($"--no-{option.Name[2..]}")
                    {
                        Description = $"without {option.Name}, which is on",
                    };
                    command.Add(negation);
                    _negations.Add(property, negation);
                }
            }
    }

    /// <summary>The record that a command line describes.</summary>
    /// <param name="result">The command line.</param>
    /// <param name="start">What flags that were not given leave as it is; the defaults without it. Is changed.</param>
    public T Bind(ParseResult result, T? start = null)
    {
        T options = start ?? new T();
        foreach ((PropertyInfo property, Option option, Func<ParseResult, object?> value) in _bound)
            if (IsGiven(result, option))
                property.SetValue(options, value(result));
        foreach ((PropertyInfo property, Option<bool> negation) in _negations)
            if (IsGiven(result, negation) && result.GetValue(negation))
                property.SetValue(options, false);
        return options;
    }

    /// <summary>The flags that the user typed.</summary>
    public IEnumerable<string> Given(ParseResult result) =>
        _bound
            .Select(b => b.Option)
            .Concat(_negations.Values)
            .Where(option => IsGiven(result, option))
            .Select(option => option.Name);

    private static bool IsGiven(ParseResult result, Option option) => result.GetResult(option) is { Implicit: false };

    private static (Option, Func<ParseResult, object?>) Create<TValue>(string name, FlagAttribute flag, TValue initial)
    {
        Option<TValue> option = new(name) { Description = flag.Help, Required = flag.Required };
        if (!flag.Required)
            option.DefaultValueFactory = _ => initial;
        if (option is Option<ImageSize?> size)
            size.CustomParser = argument => ImageSize.Parse(argument.Tokens[0].Value);
        if (typeof(TValue).IsArray)
            option.AllowMultipleArgumentsPerToken = true;
        if (flag.Choices.Length > 0)
            option.AcceptOnlyFromAmong(flag.Choices);
        return (option, result => result.GetValue(option));
    }

    /// <summary><c>BatchSize</c> to <c>--batch-size</c>.</summary>
    public static string FlagName(string property)
    {
        StringBuilder name = new("-");
        foreach (char c in property)
            _ = char.IsUpper(c) ? name.Append('-').Append(char.ToLowerInvariant(c)) : name.Append(c);
        return name.ToString();
    }
}
