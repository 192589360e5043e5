namespace Deit.Gpu;

/// <summary>The computation by which candidates are measured, and how far their results may lie from each other.</summary>
/// <param name="Inputs">The shapes of the inputs: noise, uniform in [-1/2, 1/2).</param>
/// <param name="Type">The inputs' element type.</param>
/// <param name="Reference">The name of the candidate that is plain enough to be the yardstick.</param>
/// <param name="Absolute">The largest distance of an element from the reference's that rounding of the terms of a sum
/// may cause.</param>
/// <param name="Relative">The largest distance that rounding of the result may cause, as a share of the
/// element.</param>
public sealed record KernelTrial(
    IReadOnlyList<Shape> Inputs,
    DType Type,
    string Reference,
    double Absolute,
    double Relative
)
{
    /// <summary>The shapes of the inputs: noise, uniform in [-1/2, 1/2).</summary>
    public IReadOnlyList<Shape> Inputs
    {
        get;
        init => field = new ValueList<Shape>(value);
    } = new ValueList<Shape>(Inputs);

    /// <summary>
    /// The name of the keys that differ in size alone: a candidate that is far slower than others for one of them is not
    /// tried for the rest. Null where sizes tell nothing of each other.
    /// </summary>
    public string? Family { get; init; }

    /// <summary>Whether the last input is a weight that does not change: see <see cref="FixedWeights"/>.</summary>
    public bool IsLastFixed { get; init; }

    /// <summary>The difference of a result from the reference's, in words; null where there is none.</summary>
    /// <param name="expected">The reference's result.</param>
    /// <param name="actual">The result of another candidate.</param>
    internal string? Fault(ReadOnlySpan<float> expected, ReadOnlySpan<float> actual)
    {
        if (expected.Length != actual.Length)
            return $"has {actual.Length} elements, '{Reference}' has {expected.Length}";
        int worst = -1;
        double excess = 0;
        for (int i = 0; i < expected.Length; i++)
        {
            double share = Math.Abs((double)actual[i] - expected[i]) / Allowed(expected[i]);
            // NaN is no distance at all, and stays the worst.
            if (!(share <= 1) && !(share <= excess))
                (worst, excess) = (i, share);
        }
        return worst < 0
            ? null
            : $"element {worst} of {actual.Length} is {actual[worst]:g6}, '{Reference}' computes "
                + $"{expected[worst]:g6}; at most {Allowed(expected[worst]):g2} apart";
    }

    private double Allowed(float expected) => Absolute + (Relative * Math.Abs((double)expected));
}
