namespace Deit.Train.Data.Inspection;

/// <summary>Which of some things belong together: a link joins the groups of two of them. Thread-safe.</summary>
/// <param name="count">How many things there are.</param>
internal sealed class Groups(int count)
{
    private readonly Lock _lock = new();
    private readonly int[] _parents = [.. Enumerable.Range(0, count)];

    /// <summary>Joins the groups of two.</summary>
    public void Join(int one, int other)
    {
        lock (_lock)
        {
            (one, other) = (Root(one), Root(other));
            // The first of a group stands for it, whatever the order of the links.
            _parents[Math.Max(one, other)] = Math.Min(one, other);
        }
    }

    /// <summary>Whether two are in one group.</summary>
    public bool Together(int one, int other)
    {
        lock (_lock)
            return Root(one) == Root(other);
    }

    /// <summary>The groups of two and more, each in order, by their first.</summary>
    public List<int[]> Several()
    {
        lock (_lock)
            return
            [
                .. Enumerable
                    .Range(0, count)
                    .GroupBy(Root)
                    .Where(group => group.Skip(1).Any())
                    .Select(group => group.ToArray()),
            ];
    }

    private int Root(int thing)
    {
        while (_parents[thing] != thing)
            thing = _parents[thing] = _parents[_parents[thing]];
        return thing;
    }
}
