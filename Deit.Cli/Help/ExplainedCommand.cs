using System.CommandLine;

namespace Deit.Cli.Help;

/// <summary>A command with what its help, its manual page and the completion of shells tell beyond names and descriptions.</summary>
/// <param name="name">The name.</param>
/// <param name="description">A sentence on what it does.</param>
/// <param name="examples">Command lines that somebody can copy, the most wanted first.</param>
internal sealed class ExplainedCommand(string name, string description, params IReadOnlyList<Example> examples)
    : Command(name, description)
{
    private readonly Dictionary<Option, Explanation> _explanations = [];

    /// <summary>Command lines that somebody can copy, the most wanted first.</summary>
    public IReadOnlyList<Example> Examples { get; } = examples;

    /// <summary>The heading under which the help of the whole program lists the command; null of a command in another.</summary>
    public string? Concern { get; set; }

    /// <summary>Explains a flag.</summary>
    /// <param name="option">The flag.</param>
    /// <param name="explanation">The explanation.</param>
    public void Explain(Option option, Explanation explanation) => _explanations[option] = explanation;

    /// <summary>The explanation of a flag; what its type tells where none was added.</summary>
    /// <param name="option">The flag.</param>
    public Explanation Of(Option option) =>
        _explanations.GetValueOrDefault(option)
        ?? new Explanation(Explanation.Rest, option.HelpName ?? (option.ValueType == typeof(bool) ? null : "VALUE"));
}

/// <summary>A command line and what it does.</summary>
/// <param name="Line">The command line, as <c>deit devices</c>.</param>
/// <param name="Meaning">What it does, as the rest of a sentence.</param>
internal sealed record Example(string Line, string Meaning);

/// <summary>What help tells of a flag beside its description.</summary>
/// <param name="Concern">The heading above it.</param>
/// <param name="Value">The name of its value, as <c>DIR</c>; null where it has none.</param>
/// <param name="Default">The value without the flag; null where there is none to tell of.</param>
/// <param name="Choices">The values to choose from; empty for any.</param>
/// <param name="Negation">The flag that turns it off; null without one.</param>
internal sealed record Explanation(
    string Concern,
    string? Value = null,
    string? Default = null,
    IReadOnlyList<string>? Choices = null,
    string? Negation = null
)
{
    /// <summary>The heading of flags that have no other.</summary>
    public const string Rest = "Options";
}
