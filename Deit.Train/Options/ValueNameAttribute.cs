namespace Deit.Train.Options;

/// <summary>The name of an enum's value on the command line and in files, where it is not the value's own in kebab case.</summary>
/// <param name="name">The name.</param>
[AttributeUsage(AttributeTargets.Field)]
internal sealed class ValueNameAttribute(string name) : Attribute
{
    /// <summary>The name.</summary>
    public string Name { get; } = name;
}
