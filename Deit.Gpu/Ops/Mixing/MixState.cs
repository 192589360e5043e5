using System.Runtime.InteropServices;

namespace Deit.Gpu;

/// <summary>
/// The numbers of mixup or cutmix in one step; a replayed graph reads it from a buffer. The layout of
/// <c>shaders/Shared/mix_state.glsl</c>.
/// </summary>
/// <param name="PixelLambda">Weight of a pixel's own image outside the box; the partner, the batch reversed, has the rest.</param>
/// <param name="TargetLambda">Weight of an image's own target.</param>
/// <param name="Left">First column of the box in which the partner's pixels show.</param>
/// <param name="Top">First row of the box.</param>
/// <param name="Right">One past the last column.</param>
/// <param name="Bottom">One past the last row.</param>
[StructLayout(LayoutKind.Sequential, Size = 32)]
public readonly record struct MixState(
    float PixelLambda,
    float TargetLambda,
    uint Left,
    uint Top,
    uint Right,
    uint Bottom
)
{
    private static Shape Words => [8];

    /// <summary>Leaves images and targets as they are.</summary>
    public static MixState None { get; } = new(1, 1, 0, 0, 0, 0);

    /// <summary>
    /// Mixup: every pixel and target is lambda of its own and the rest of its partner's (Zhang et al., arXiv
    /// 1710.09412).
    /// </summary>
    public static MixState Mixup(double lambda) => new((float)lambda, (float)lambda, 0, 0, 0, 0);

    /// <summary>Cutmix: the partner's pixels in a box, its target by the box's share of the area (Yun et al., arXiv 1905.04899).</summary>
    public static MixState Cutmix(int left, int top, int right, int bottom, int width, int height) =>
        new(
            1,
            (float)(1 - ((right - left) * (double)(bottom - top) / ((double)width * height))),
            (uint)left,
            (uint)top,
            (uint)right,
            (uint)bottom
        );

    /// <summary>Room for a mix state.</summary>
    public static Tensor Allocate(Arena arena) => arena.Allocate(Words, DType.U32, "mix state");

    internal static Tensor Check(Tensor state) =>
        state.DType == DType.U32 && state.Shape == Words
            ? state
            : throw new ArgumentException(
                $"{state} is no mix state; allocate one with MixState.Allocate.",
                nameof(state)
            );
}
