namespace Deit.Gpu;

/// <summary>The computation by which candidates are measured, and how far their results may lie from each other.</summary>
/// <param name="Inputs">The shapes of the inputs: noise, uniform in [-1/2, 1/2).</param>
/// <param name="Type">The inputs' element type.</param>
/// <param name="Reference">The name of the candidate that is plain enough to be the yardstick.</param>
/// <param name="Absolute">How far an element may lie from the reference's by rounding of the terms of a sum.</param>
/// <param name="Relative">How far by rounding of the result, as a share of the element.</param>
public sealed record KernelTrial(
    IReadOnlyList<Shape> Inputs,
    DType Type,
    string Reference,
    double Absolute,
    double Relative
)
{
    /// <summary>Why a result is not the reference's; null when it is.</summary>
    /// <param name="expected">The reference's result.</param>
    /// <param name="actual">Another's.</param>
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
