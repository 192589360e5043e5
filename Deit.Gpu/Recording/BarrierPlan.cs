namespace Deit.Gpu;

/// <summary>Decides before which dispatches a memory barrier stands, from the byte ranges that each reads and writes.</summary>
/// <remarks>
/// A barrier waits for everything before it, so it clears the set of ranges in flight; dispatches between two barriers
/// may overlap.
/// </remarks>
internal static class BarrierPlan
{
    /// <summary>A range of one buffer that a dispatch touches.</summary>
    /// <param name="Buffer">The identity of the buffer.</param>
    /// <param name="Start">The first byte.</param>
    /// <param name="End">One past the last byte.</param>
    /// <param name="Access">How it is touched.</param>
    public readonly record struct Range(object Buffer, long Start, long End, Access Access)
    {
        public bool Overlaps(Range other) =>
            ReferenceEquals(Buffer, other.Buffer) && Start < other.End && other.Start < End;
    }

    /// <summary>True at each dispatch that must wait for those before it: read after write, write after write, write after read.</summary>
    public static bool[] Create(IReadOnlyList<Range[]> dispatches)
    {
        bool[] barrierBefore = new bool[dispatches.Count];
        List<Range> inFlight = [];
        for (int i = 0; i < dispatches.Count; i++)
        {
            if (
                dispatches[i]
                    .Any(range =>
                        inFlight.Any(other =>
                            range.Overlaps(other) && ((range.Access | other.Access) & Access.Write) != 0
                        )
                    )
            )
            {
                barrierBefore[i] = true;
                inFlight.Clear();
            }
            inFlight.AddRange(dispatches[i]);
        }
        return barrierBefore;
    }
}
