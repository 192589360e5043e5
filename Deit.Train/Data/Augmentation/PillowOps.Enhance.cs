using System.Runtime.Intrinsics;
using Deit.Model.Images;

namespace Deit.Train.Data.Augmentation;

/// <content>
/// <c>ImageEnhance</c>: a blend of a degenerate picture (factor 0) with the original (factor 1), extrapolated beyond 1. The sums are single
/// precision and truncated, as Pillow's are.
/// </content>
internal static partial class PillowOps
{
    /// <summary>Blends with the grey picture.</summary>
    /// <param name="image">The picture.</param>
    /// <param name="scratch">Another of its size.</param>
    /// <param name="factor">0 for grey, 1 for no change, more for stronger colours.</param>
    public static void Color(RgbImage image, RgbImage scratch, double factor)
    {
        byte[] pixels = image.Pixels,
            grey = scratch.Pixels;
        for (int i = 0; i < pixels.Length; i += 3)
            grey[i] = grey[i + 1] = grey[i + 2] = (byte)Luma(pixels, i);
        Blend(pixels, grey, (float)factor);
    }

    /// <summary>Blends with the mean grey of the picture.</summary>
    /// <param name="image">The picture.</param>
    /// <param name="factor">0 for the mean, 1 for no change, more for stronger contrast.</param>
    public static void Contrast(RgbImage image, double factor)
    {
        long sum = 0;
        for (int i = 0; i < image.Pixels.Length; i += 3)
            sum += Luma(image.Pixels, i);
        BlendWithLevel(image.Pixels, (int)(((double)sum / ((long)image.Width * image.Height)) + 0.5), (float)factor);
    }

    /// <summary>Blends with black.</summary>
    /// <param name="image">The picture.</param>
    /// <param name="factor">0 for black, 1 for no change, more for brighter.</param>
    public static void Brightness(RgbImage image, double factor) => BlendWithLevel(image.Pixels, 0, (float)factor);

    /// <summary>Blends with the picture smoothed by <c>ImageFilter.SMOOTH</c>.</summary>
    /// <param name="image">The picture.</param>
    /// <param name="scratch">Another of its size.</param>
    /// <param name="factor">0 for smooth, 1 for no change, more for sharper.</param>
    public static void Sharpness(RgbImage image, RgbImage scratch, double factor)
    {
        Smooth(image, scratch);
        Blend(image.Pixels, scratch.Pixels, (float)factor);
    }

    // ITU-R 601-2 luma in Pillow's fixed point of 16 bits, rounded.
    private static int Luma(byte[] pixels, int i) =>
        ((pixels[i] * 19595) + (pixels[i + 1] * 38470) + (pixels[i + 2] * 7471) + 0x8000) >> 16;

    private static void BlendWithLevel(Span<byte> pixels, int level, float factor)
    {
        Span<byte> table = stackalloc byte[Levels];
        for (int i = 0; i < Levels; i++)
            table[i] = Blend(i, level, factor);
        LookAlike(pixels, table);
    }

    private static byte Blend(int value, int degenerate, float factor) =>
        (byte)Math.Clamp(degenerate + (factor * (value - degenerate)), 0f, 255f);

    private static void Blend(Span<byte> pixels, ReadOnlySpan<byte> degenerate, float factor)
    {
        int i = 0;
        for (; i + Vector256<byte>.Count <= pixels.Length; i += Vector256<byte>.Count)
        {
            (Vector256<ushort> low, Vector256<ushort> high) = Vector256.Widen(Vector256.Create<byte>(pixels[i..]));
            (Vector256<ushort> lowDegenerate, Vector256<ushort> highDegenerate) = Vector256.Widen(
                Vector256.Create(degenerate[i..])
            );
            Vector256
                .Narrow(Blend(low, lowDegenerate, factor), Blend(high, highDegenerate, factor))
                .CopyTo(pixels[i..]);
        }
        for (; i < pixels.Length; i++)
            pixels[i] = Blend(pixels[i], degenerate[i], factor);
    }

    private static Vector256<ushort> Blend(Vector256<ushort> values, Vector256<ushort> degenerate, float factor) =>
        Vector256.Narrow(
            Blend(Vector256.WidenLower(values).AsInt32(), Vector256.WidenLower(degenerate).AsInt32(), factor),
            Blend(Vector256.WidenUpper(values).AsInt32(), Vector256.WidenUpper(degenerate).AsInt32(), factor)
        );

    private static Vector256<uint> Blend(Vector256<int> values, Vector256<int> degenerate, float factor)
    {
        // No fused multiply-add: it would round once where Pillow rounds twice.
        Vector256<float> sum =
            Vector256.ConvertToSingle(degenerate) + (Vector256.ConvertToSingle(values - degenerate) * factor);
        return Vector256.ConvertToInt32(Vector256.Clamp(sum, Vector256<float>.Zero, Vector256.Create(255f))).AsUInt32();
    }

    // Each pixel counts five times, its eight neighbours once; the outermost pixels stay. Pillow sums floats and rounds
    // half up. Whole numbers give the same: a result ends in one half only where the sum is an odd multiple of 6.5,
    // which no whole number is.
    private static void Smooth(RgbImage source, RgbImage target)
    {
        ReadOnlySpan<byte> from = source.Pixels;
        Span<byte> to = target.Pixels;
        from.CopyTo(to);
        int stride = source.Width * 3;
        if (source.Width < 3)
            return;
        for (int y = 1; y < source.Height - 1; y++)
        {
            int i = (y * stride) + 3,
                end = ((y + 1) * stride) - 3;
            for (; i + Vector256<ushort>.Count <= end; i += Vector256<ushort>.Count)
            {
                Vector256<ushort> sum =
                    Three(from, i - stride) + Three(from, i) + (Widened(from, i) * 4) + Three(from, i + stride);
                Vector256<ushort> rounded = sum + Vector256.Create((ushort)6);
                Vector256<uint> low = (Vector256.WidenLower(rounded) * Reciprocal) >>> 16,
                    high = (Vector256.WidenUpper(rounded) * Reciprocal) >>> 16;
                Vector256<ushort> result = Vector256.Narrow(low, high);
                Vector128.Narrow(result.GetLower(), result.GetUpper()).CopyTo(to[i..]);
            }
            for (; i < end; i++)
            {
                int sum = from[i] * 4;
                for (int j = i - stride; j <= i + stride; j += stride)
                    sum += from[j - 3] + from[j] + from[j + 3];
                to[i] = (byte)((sum + 6) / 13);
            }
        }
    }

    // (n * 5042) >> 16 is n / 13 for n below 6553; the sums end at 13 * 255 + 6.
    private const uint Reciprocal = 5042;

    private static Vector256<ushort> Three(ReadOnlySpan<byte> bytes, int i) =>
        Widened(bytes, i - 3) + Widened(bytes, i) + Widened(bytes, i + 3);

    private static Vector256<ushort> Widened(ReadOnlySpan<byte> bytes, int i)
    {
        Vector128<byte> sixteen = Vector128.Create(bytes[i..]);
        return Vector256.Create(Vector128.WidenLower(sixteen), Vector128.WidenUpper(sixteen));
    }
}
