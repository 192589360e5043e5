namespace Deit.Gpu;

/// <summary>The part of a recording that an op is recorded in; its backward is recorded in the same.</summary>
/// <param name="Name">The names of the scopes around it, as profiles show them; empty outside of all.</param>
/// <param name="Products">How products of F32 are computed.</param>
internal readonly record struct RecordingScope(string Name, ProductArithmetic Products)
{
    /// <summary>Outside of all scopes.</summary>
    public static RecordingScope Outermost { get; } = new("", ProductArithmetic.F32);

    /// <summary>The scope of a name inside this one.</summary>
    public RecordingScope Inside(string name) => this with { Name = Name.Length == 0 ? name : $"{Name}.{name}" };
}
