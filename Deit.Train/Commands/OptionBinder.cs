using System.CommandLine;
using System.Reflection;
using System.Text;

namespace Deit.Train.Commands;

/// <summary>Turns the properties of an options record into flags of a command, and a parsed command line into the record.</summary>
internal sealed class OptionBinder<T>
    where T : class, new()
{
    private readonly List<(PropertyInfo Property, Option Option, Func<ParseResult, object?> Value)> _bound = [];

    public OptionBinder(Command command)
    {
        T defaults = new();
        foreach (PropertyInfo property in typeof(T).GetProperties())
            if (property.GetCustomAttribute<FlagAttribute>() is { } flag)
            {
                MethodInfo create = typeof(OptionBinder<T>).GetMethod(nameof(Create), BindingFlags.NonPublic | BindingFlags.Static)!.MakeGenericMethod(property.PropertyType);
                (Option option, Func<ParseResult, object?> value) = ((Option, Func<ParseResult, object?>))create.Invoke(null, [FlagName(property.Name), flag, property.GetValue(defaults)])!;
                command.Add(option);
                _bound.Add((property, option, value));
            }
    }

    /// <summary>The record that a command line describes.</summary>
    public T Bind(ParseResult result)
    {
        T options = new();
        foreach ((PropertyInfo property, _, Func<ParseResult, object?> value) in _bound)
            property.SetValue(options, value(result));
        return options;
    }

    /// <summary>The flags that the user typed.</summary>
    public IEnumerable<string> Given(ParseResult result) => _bound.Where(b => result.GetResult(b.Option) is { Implicit: false }).Select(b => b.Option.Name);

    private static (Option, Func<ParseResult, object?>) Create<TValue>(string name, FlagAttribute flag, TValue initial)
    {
        Option<TValue> option = new(name) { Description = flag.Help, Required = flag.Required };
        if (!flag.Required)
            option.DefaultValueFactory = _ => initial;
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
