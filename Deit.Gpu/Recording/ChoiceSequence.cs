namespace Deit.Gpu;

/// <summary>
/// The kernels that a recording chose, in order. A recording of the same ops at another batch size that repeats them
/// adds up every element in the same order, so that an image's result does not depend on its batch.
/// </summary>
/// <param name="repeated">The choices of another recording, taken again where they are among the candidates; null for none.</param>
internal sealed class ChoiceSequence(ChoiceSequence? repeated)
{
    private readonly List<string> _names = [];

    /// <summary>The next choice: repeated where possible, otherwise made now.</summary>
    public string Next(IReadOnlyList<KernelCandidate> candidates, Func<string> choose)
    {
        int place = _names.Count;
        string? known = repeated is not null && place < repeated._names.Count ? repeated._names[place] : null;
        string name = known is not null && candidates.Any(candidate => candidate.Name == known) ? known : choose();
        _names.Add(name);
        return name;
    }
}
