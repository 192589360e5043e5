using Deit.Model;

namespace Deit.Train.Options;

/// <summary>Makes a property a command-line flag; the property's start value is the flag's default.</summary>
/// <param name="help">The flag's line in <c>--help</c>.</param>
[AttributeUsage(AttributeTargets.Property)]
internal class FlagAttribute(string help) : Attribute
{
    /// <summary>The flag's line in <c>--help</c>.</summary>
    public string Help { get; } = help;

    /// <summary>The flag without its dashes, as <c>batch-size</c>; made from the property's name where it is not given.</summary>
    public string? Name { get; init; }

    /// <summary>The name of the value in help, as <c>DIR</c>; made from the type where it is not given.</summary>
    public string? Value { get; init; }

    /// <summary>The values to choose from; empty for any, and for all of an enum.</summary>
    public string[] Choices { get; init; } = [];

    /// <summary>The files that hold the flag's value.</summary>
    public FlagScope Scope { get; init; }

    /// <summary>True of a flag that may be changed when a run is resumed, because the result does not depend on it.</summary>
    public bool OnResume { get; init; }

    /// <summary>True of a flag that must be given.</summary>
    public bool Required { get; init; }
}

/// <summary>A flag whose value is a <see cref="Precision"/>, or names of it.</summary>
[AttributeUsage(AttributeTargets.Property)]
internal sealed class PrecisionFlagAttribute : FlagAttribute
{
    /// <param name="help">The flag's line in <c>--help</c>.</param>
    /// <param name="trains">True to leave out the precisions that cannot train.</param>
    public PrecisionFlagAttribute(string help, bool trains = false)
        : base(help) => Choices = [.. Precision.Names.Where(name => !trains || Precision.Parse(name).Trains)];
}

/// <summary>Marks a property that holds a record of further flags.</summary>
/// <param name="concern">The heading above these flags in help; that of the record around them without it.</param>
[AttributeUsage(AttributeTargets.Property)]
internal sealed class FlagGroupAttribute(string? concern = null) : Attribute
{
    /// <summary>The heading above these flags in help.</summary>
    public string? Concern { get; } = concern;
}

/// <summary>The files that hold a flag's value.</summary>
internal enum FlagScope
{
    /// <summary>Recipes and the options of a run: the flag describes the training.</summary>
    Recipe,

    /// <summary>The options of a run alone: the flag belongs to one run, such as its folder.</summary>
    Run,

    /// <summary>No file: the flag is for one call of the command, such as its device.</summary>
    Command,
}
