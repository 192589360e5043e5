using System.Diagnostics.CodeAnalysis;
using System.Reflection;

namespace Deit.Train.Options;

/// <summary>The flags of a record of options and of the records in it.</summary>
/// <typeparam name="T">
/// The record. A property that is a flag has a <see cref="FlagAttribute"/>, a record of further flags a <see cref="FlagGroupAttribute"/>.
/// </typeparam>
internal static class FlagSet<T>
    where T : class, new()
{
    /// <summary>All flags, in the order of the properties.</summary>
    public static IReadOnlyList<Flag> All { get; } = [.. Find(typeof(T), [])];

    /// <summary>Options with other values of some flags.</summary>
    /// <param name="options">The options to start from, which stay as they are.</param>
    /// <param name="values">The flags to change and their values.</param>
    /// <returns>New options.</returns>
    public static T With(T options, IEnumerable<(Flag Flag, object? Value)> values)
    {
        T changed = new();
        foreach (Flag flag in All)
            flag.Set(changed, flag.Of(options));
        foreach ((Flag flag, object? value) in values)
            flag.Set(changed, value);
        return changed;
    }

    [UnconditionalSuppressMessage(
        "Trimming",
        "IL2070",
        Justification = "Trimming.xml keeps the properties of all records of a training's options."
    )]
    private static IEnumerable<Flag> Find(Type type, PropertyInfo[] groups)
    {
        foreach (PropertyInfo property in type.GetProperties())
            if (property.GetCustomAttribute<FlagAttribute>() is { } attribute)
                yield return new Flag(groups, property, attribute);
            else if (property.GetCustomAttribute<FlagGroupAttribute>() is not null)
                foreach (Flag flag in Find(property.PropertyType, [.. groups, property]))
                    yield return flag;
    }
}
