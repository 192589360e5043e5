namespace Deit.Gpu;

/// <summary>
/// The kernels that a recording chose, in order. A recording of the same ops at another batch size that repeats them adds up every element in
/// the same order, so that an image's result does not depend on its batch.
/// </summary>
internal sealed class ChoiceSequence
{
    // Of the thread that records: ops choose deep inside a recording, and never on another thread.
    [ThreadStatic]
    private static ChoiceSequence? _current;
    private readonly ChoiceSequence? _repeated;
    private readonly List<string> _names = [];

    private ChoiceSequence(ChoiceSequence? repeated) => _repeated = repeated;

    /// <summary>Records, with the choices of another recording where it made one at the same place among the same candidates.</summary>
    public static ChoiceSequence Of(Action record, ChoiceSequence? repeated)
    {
        ChoiceSequence? outer = _current;
        ChoiceSequence sequence = _current = new ChoiceSequence(repeated);
        try
        {
            record();
            return sequence;
        }
        finally
        {
            _current = outer;
        }
    }

    /// <summary>The next choice: repeated, or made now.</summary>
    public static string Next(IReadOnlyList<KernelChoices.Candidate> candidates, Func<string> choose)
    {
        if (_current is not { } sequence)
            return choose();
        int place = sequence._names.Count;
        string? known =
            sequence._repeated is { } repeated && place < repeated._names.Count ? repeated._names[place] : null;
        string name;
        if (known is not null && candidates.Any(candidate => candidate.Name == known))
            name = known;
        else
        {
            // Recordings of measurements choose too: theirs are no part of this sequence.
            _current = null;
            try
            {
                name = choose();
            }
            finally
            {
                _current = sequence;
            }
        }
        sequence._names.Add(name);
        return name;
    }
}
