using System.Reflection;
using System.Text.Json;
using Deit.Model.Images;

namespace Deit.Train.Options;

/// <summary>A flag of a command: its names, and the place of its value in a record of options.</summary>
internal sealed class Flag
{
    private readonly PropertyInfo[] _groups;
    private readonly PropertyInfo _property;

    /// <param name="groups">The properties that lead from the options to the record that holds the value.</param>
    /// <param name="property">The property of that record.</param>
    /// <param name="attribute">The property's attribute.</param>
    public Flag(PropertyInfo[] groups, PropertyInfo property, FlagAttribute attribute)
    {
        (_groups, _property, Attribute) = (groups, property, attribute);
        string name = attribute.Name ?? JsonNamingPolicy.KebabCaseLower.ConvertName(property.Name);
        (Name, Key) = ($"--{name}", name.Replace('-', '_'));
        Choices =
            attribute.Choices.Length == 0 && !property.PropertyType.IsArray && IsEnum(property.PropertyType)
                ? FlagValue.Names(property.PropertyType)
                : attribute.Choices;
    }

    /// <summary>The flag on the command line, as <c>--batch-size</c>.</summary>
    public string Name { get; }

    /// <summary>The key in files, as <c>batch_size</c>.</summary>
    public string Key { get; }

    /// <summary>The description of the flag.</summary>
    public FlagAttribute Attribute { get; }

    /// <summary>The heading above the flag in help.</summary>
    public string Concern =>
        _groups
            .Reverse()
            .Select(group => group.GetCustomAttribute<FlagGroupAttribute>()?.Concern)
            .FirstOrDefault(concern => concern is not null)
        ?? "Options";

    /// <summary>The name of the value in help; null of a flag that needs none.</summary>
    public string? ValueName =>
        Attribute.Value
        ?? (
            Type == typeof(bool) ? null
            : FlagValue.IsNamed(Type) || Choices.Count > 0 ? "NAME"
            : Type == typeof(string) || Type == typeof(string[]) ? "TEXT"
            : Bare(Type) == typeof(ImageSize) ? "SIZE"
            : Bare(Type) == typeof(double) ? "X"
            : "N"
        );

    /// <summary>The type of the value.</summary>
    public Type Type => _property.PropertyType;

    /// <summary>The values to choose from; empty for any.</summary>
    public IReadOnlyList<string> Choices { get; }

    /// <summary>Whether the flag is this property.</summary>
    /// <param name="property">A property of a record of options.</param>
    public bool IsOf(PropertyInfo property) => property == _property;

    /// <summary>The value in a record of options.</summary>
    /// <param name="options">The record.</param>
    public object? Of(object options) => _property.GetValue(Holder(options));

    /// <summary>Sets the value in a record of options that nothing else holds.</summary>
    /// <param name="options">The record.</param>
    /// <param name="value">The value.</param>
    public void Set(object options, object? value) => _property.SetValue(Holder(options), value);

    private object Holder(object options) => _groups.Aggregate(options, (record, group) => group.GetValue(record)!);

    private static bool IsEnum(Type type) => Bare(type).IsEnum;

    private static Type Bare(Type type) => Nullable.GetUnderlyingType(type) ?? type;
}
