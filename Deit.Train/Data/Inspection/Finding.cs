namespace Deit.Train.Data.Inspection;

/// <summary>How much a finding weighs.</summary>
internal enum Weight
{
    /// <summary>Training does not begin, stops, or learns nothing of a class: mend it first.</summary>
    Serious,

    /// <summary>Training runs, and what it says or learns is not what one thinks.</summary>
    Warning,

    /// <summary>Good to know.</summary>
    Notice,
}

/// <summary>What belongs to a finding: a picture, pictures that are alike, or a class.</summary>
/// <param name="Text">What there is to say; empty where the pictures say it.</param>
/// <param name="Pictures">Their numbers among all pictures; empty without pictures.</param>
internal sealed record Example(string Text, params IReadOnlyList<int> Pictures);

/// <summary>Something that was found in data.</summary>
/// <param name="Kind">A word for programs.</param>
/// <param name="Weight">How much it weighs.</param>
/// <param name="Sentence">What was found, without a point at its end.</param>
/// <param name="Remedy">What to do, without a point at its end.</param>
/// <param name="Examples">All that belong to it.</param>
internal sealed record Finding(
    string Kind,
    Weight Weight,
    string Sentence,
    string Remedy,
    IReadOnlyList<Example> Examples
);
