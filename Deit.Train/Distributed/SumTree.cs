using System.Numerics;
using System.Runtime.InteropServices;

namespace Deit.Train.Distributed;

/// <summary>A sum of the micro-batches Start to Start + 2^Level - 1.</summary>
/// <param name="Start">The first, a multiple of 2^Level.</param>
/// <param name="Level">0 for a single one.</param>
internal readonly record struct SumNode(int Start, int Level)
{
    /// <summary>The micro-batch behind the last.</summary>
    public int End => Start + (1 << Level);

    /// <summary>Whether two sums are the halves of a larger one.</summary>
    public bool IsSiblingOf(SumNode next) => Level == next.Level && End == next.Start && Start % (2 << Level) == 0;

    /// <summary>The nodes that remain of a run of micro-batches once all halves have become one.</summary>
    /// <param name="start">The first.</param>
    /// <param name="end">The one behind the last.</param>
    public static List<SumNode> Cover(int start, int end)
    {
        List<SumNode> nodes = [];
        while (start < end)
        {
            int level = 0;
            while (start % (2 << level) == 0 && start + (2 << level) <= end)
                level++;
            nodes.Add(new SumNode(start, level));
            start += 1 << level;
        }
        return nodes;
    }
}

/// <summary>
/// Adds up vectors of micro-batches in a fixed tree: neighbours first, then pairs of them, and so on. Floating-point sums
/// depend on their order. This order depends on the number of micro-batches alone, so that any number of ranks gets the
/// same bits, and a rank need send no more than the nodes of its own run.
/// </summary>
/// <param name="length">Elements of a vector.</param>
internal sealed class SumTree(int length)
{
    private readonly List<(SumNode Node, float[] Values)> _open = [];
    private readonly Stack<float[]> _free = [];

    /// <summary>The sums that have no other half yet, by their first micro-batch.</summary>
    public IReadOnlyList<(SumNode Node, float[] Values)> Open => _open;

    /// <summary>Adds the next vector.</summary>
    /// <param name="node">What it is the sum of; it begins where the one before ended, or later.</param>
    /// <param name="vector">The vector, or the beginning of it where the rest is 0.</param>
    public void Add(SumNode node, ReadOnlySpan<float> vector)
    {
        float[] values = _free.TryPop(out float[]? free) ? free : new float[length];
        vector.CopyTo(values);
        while (_open is [.., var last] && last.Node.IsSiblingOf(node))
        {
            AddTo(last.Values, values);
            _free.Push(values);
            (node, values) = (new SumNode(last.Node.Start, node.Level + 1), last.Values);
            _open.RemoveAt(_open.Count - 1);
        }
        _open.Add((node, values));
    }

    /// <summary>Adds up what is open, from the last to the first, and begins anew.</summary>
    /// <param name="sum">Receives the sum.</param>
    public void Take(Span<float> sum)
    {
        _open[^1].Values.CopyTo(sum);
        for (int i = _open.Count - 2; i >= 0; i--)
            AddTo(sum, _open[i].Values);
        Clear();
    }

    /// <summary>Begins anew.</summary>
    public void Clear()
    {
        foreach ((_, float[] values) in _open)
            _free.Push(values);
        _open.Clear();
    }

    // A sum of two does not depend on their order.
    private static void AddTo(Span<float> sum, ReadOnlySpan<float> values)
    {
        Span<Vector<float>> wideSum = MemoryMarshal.Cast<float, Vector<float>>(sum);
        ReadOnlySpan<Vector<float>> wide = MemoryMarshal.Cast<float, Vector<float>>(values);
        for (int i = 0; i < wide.Length; i++)
            wideSum[i] += wide[i];
        for (int i = wide.Length * Vector<float>.Count; i < values.Length; i++)
            sum[i] += values[i];
    }
}
