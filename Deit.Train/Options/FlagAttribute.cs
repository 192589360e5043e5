using Deit.Model;

namespace Deit.Train.Options;

/// <summary>Makes a property a command-line flag: <c>BatchSize</c> becomes <c>--batch-size</c>; its start value is the flag's default.</summary>
/// <param name="help">What <c>--help</c> says.</param>
[AttributeUsage(AttributeTargets.Property)]
internal class FlagAttribute(string help) : Attribute
{
    public string Help { get; } = help;

    /// <summary>The values to choose from; empty for any.</summary>
    public string[] Choices { get; init; } = [];

    /// <summary>True of what belongs to one run, such as its folder, and not to a recipe.</summary>
    public bool Run { get; init; }

    /// <summary>True when the command cannot do without.</summary>
    public bool Required { get; init; }
}

/// <summary>A flag whose value is the name of a <see cref="Precision"/>.</summary>
[AttributeUsage(AttributeTargets.Property)]
internal sealed class PrecisionFlagAttribute : FlagAttribute
{
    /// <param name="help">What <c>--help</c> says.</param>
    /// <param name="trains">Only what trains.</param>
    public PrecisionFlagAttribute(string help, bool trains = false)
        : base(help) => Choices = [.. Precision.Names.Where(name => !trains || Precision.Parse(name).Trains)];
}
