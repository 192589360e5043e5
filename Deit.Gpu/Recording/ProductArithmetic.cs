namespace Deit.Gpu;

/// <summary>
/// The arithmetic in which factors of F32 are multiplied; sums are F32 in each case. The name of each value tells the
/// accuracy.
/// </summary>
/// <remarks>
/// Matrix units may compute three products of 16 bits for one of F32. A factor is the sum of its rounded value and of
/// the rounded rest, and a b = a_high b_high + a_high b_low + a_low b_high. See Henry, Tang and Heinecke, "Leveraging
/// the bfloat16 Artificial Intelligence Datatype For Higher-Precision Computations" (arXiv 1904.06376). Some products
/// remain F32: those whose extents are no multiples of eight, which matrix units do not take, and those that other
/// kernels compute faster.
/// </remarks>
public enum ProductArithmetic
{
    /// <summary>F32 itself.</summary>
    F32,

    /// <summary>Three products of bfloat16: a product is off by at most 5 * 2^-16 of itself, over the range of F32.</summary>
    BF16x3,

    /// <summary>
    /// Three products of binary16: a product is off by at most 3 * 2^-22 of itself and 2^-25 of either factor, and a
    /// factor beyond 65,504 makes NaN. It is meant for values near 1, as a trained network's are. Gradients lie below
    /// its range.
    /// </summary>
    F16x3,
}
