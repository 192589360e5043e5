using System.Buffers;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Deit.Model.Images;

/// <summary>
/// Antialiased resize with the pixels of Pillow's <c>Image.resize</c>: 8-bit results of a horizontal pass, then a vertical one, both in
/// fixed point, so no float rounding can differ. Thread-safe; allocates nothing but the result.
/// </summary>
internal static class Resampler
{
    // Up to three pixels of padding, and of a load of sixteen bytes the four beyond its four pixels.
    private const int SlackBytes = (3 * 3) + 4;
    private const int Half = 1 << (ResampleWeights.PrecisionBits - 1);

    /// <summary>Resizes a picture.</summary>
    /// <param name="source">The picture.</param>
    /// <param name="width">Columns of the result.</param>
    /// <param name="height">Rows of the result.</param>
    /// <param name="filter">The kernel.</param>
    /// <param name="box">The part of the picture that becomes the result; null is all of it.</param>
    /// <exception cref="ArgumentException">A size is not positive or the box is empty or reaches outside the picture.</exception>
    public static RgbImage Resize(
        RgbImage source,
        int width,
        int height,
        ResampleFilter filter,
        ResampleBox? box = null
    ) => Resize(source, new Resampling(width, height, filter) { Box = box });

    /// <summary>Resizes a picture.</summary>
    /// <param name="source">The picture.</param>
    /// <param name="resampling">The task.</param>
    /// <exception cref="ArgumentException">A size is not positive, or a rectangle is empty or reaches outside its
    /// picture.</exception>
    public static RgbImage Resize(RgbImage source, in Resampling resampling)
    {
        (int width, int height) = resampling.Window is { } window
            ? (window.Width, window.Height)
            : (resampling.Width, resampling.Height);
        byte[] pixels = new byte[checked((long)Math.Max(width, 0) * Math.Max(height, 0) * 3)];
        Resize(source, resampling, pixels);
        return new RgbImage(width, height, pixels);
    }

    /// <summary>Resizes a picture into memory of the caller.</summary>
    /// <param name="source">The picture.</param>
    /// <param name="resampling">The task.</param>
    /// <param name="destination">[height, width, 3] bytes of the window; must not overlap the source.</param>
    /// <exception cref="ArgumentException">
    /// A size is not positive, a rectangle is empty or reaches outside its picture, or the destination has another
    /// size.
    /// </exception>
    public static void Resize(RgbImage source, in Resampling resampling, Span<byte> destination)
    {
        PixelRectangle crop = resampling.Crop ?? new(0, 0, source.Width, source.Height);
        ResampleBox box = resampling.Box ?? new(0, 0, crop.Width, crop.Height);
        PixelRectangle window = resampling.Window ?? new(0, 0, resampling.Width, resampling.Height);
        Check(source, resampling, crop, box, window, destination.Length);

        // An axis that keeps its size and its pixels is copied, not filtered.
        bool horizontal = resampling.Width != crop.Width || box.Left != 0 || box.Right != crop.Width;
        bool vertical = resampling.Height != crop.Height || box.Top != 0 || box.Bottom != crop.Height;
        int rowBytes = window.Width * 3;
        Rows rows = new(source.Pixels.AsSpan(((crop.Y * source.Width) + crop.X) * 3), source.Width * 3);
        if (!vertical)
        {
            rows = rows.From(window.Y);
            if (horizontal)
                Horizontal(rows, crop.Width, box, resampling, window, window.Height, destination);
            else
                for (int y = 0; y < window.Height; y++)
                    rows.Row(y).Slice(window.X * 3, rowBytes).CopyTo(destination[(y * rowBytes)..]);
            return;
        }

        using ResampleWeights weights = new(
            resampling.Filter,
            crop.Height,
            box.Top,
            box.Bottom,
            resampling.Height,
            window.Y,
            window.Height
        );
        if (!horizontal)
        {
            Vertical(
                new Rows(rows.Pixels[(window.X * 3)..], rows.Stride),
                weights,
                rowBytes,
                firstRow: 0,
                window.Height,
                destination
            );
            return;
        }
        int first = weights.Start(0),
            count = weights.End(window.Height - 1) - first; // only these rows are ever read
        byte[] between = ArrayPool<byte>.Shared.Rent(checked(count * rowBytes));
        Horizontal(rows.From(first), crop.Width, box, resampling, window, count, between);
        Vertical(new Rows(between, rowBytes), weights, rowBytes, first, window.Height, destination);
        ArrayPool<byte>.Shared.Return(between);
    }

    private static void Horizontal(
        Rows source,
        int sourceWidth,
        ResampleBox box,
        in Resampling resampling,
        PixelRectangle window,
        int rows,
        Span<byte> destination
    )
    {
        using ResampleWeights weights = new(
            resampling.Filter,
            sourceWidth,
            box.Left,
            box.Right,
            resampling.Width,
            window.X,
            window.Width
        );
        int rowBytes = window.Width * 3;
        for (int y = 0; y < rows; y++)
        {
            ReadOnlySpan<byte> from = source.Row(y);
            Span<byte> to = destination.Slice(y * rowBytes, rowBytes);
            // A group reads sixteen bytes; only at the end of the buffer may that be too many.
            int fast =
                from.Length >= sourceWidth * 3 + SlackBytes
                    ? window.Width
                    : weights.CountEndingBy((from.Length - SlackBytes) / 3);
            for (int x = 0; x < window.Width; x++)
            {
                Vector128<int> sum =
                    x < fast
                        ? SumOfGroups(
                            ref Unsafe.Add(ref MemoryMarshal.GetReference(from), weights.Start(x) * 3),
                            weights.PaddedWeights(x)
                        )
                        : SumOfPixels(from[(weights.Start(x) * 3)..], weights.Weights(x));
                Vector128<int> clipped = Vector128.Clamp(
                    sum >> ResampleWeights.PrecisionBits,
                    Vector128<int>.Zero,
                    Vector128.Create(255)
                );
                to[(x * 3) + 2] = (byte)clipped.GetElement(2);
                to[(x * 3) + 1] = (byte)clipped.GetElement(1);
                to[(x * 3) + 0] = (byte)clipped.GetElement(0);
            }
        }
    }

    // Lanes are R, G, B and one without meaning. Sixteen bytes hold four pixels and a little more; the padding weights
    // of a last group are zero.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<int> SumOfGroups(ref byte pixels, ReadOnlySpan<int> weights)
    {
        // csharpier-ignore-start
        Vector128<byte> pick0 = Vector128.Create((byte)0, 255, 255, 255, 1, 255, 255, 255, 2, 255, 255, 255, 255, 255, 255, 255);
        Vector128<byte> pick1 = Vector128.Create((byte)3, 255, 255, 255, 4, 255, 255, 255, 5, 255, 255, 255, 255, 255, 255, 255);
        Vector128<byte> pick2 = Vector128.Create((byte)6, 255, 255, 255, 7, 255, 255, 255, 8, 255, 255, 255, 255, 255, 255, 255);
        Vector128<byte> pick3 = Vector128.Create((byte)9, 255, 255, 255, 10, 255, 255, 255, 11, 255, 255, 255, 255, 255, 255, 255);
        // csharpier-ignore-end
        Vector128<int> sum = Vector128.Create(Half),
            sum1 = default;
        ref int weight = ref MemoryMarshal.GetReference(weights);
        for (int i = 0; i < weights.Length; i += 4)
        {
            Vector128<byte> four = Vector128.LoadUnsafe(ref pixels, (nuint)(i * 3));
            Vector128<int> factors = Vector128.LoadUnsafe(ref weight, (nuint)i);
            sum += Vector128.Shuffle(four, pick0).AsInt32() * Vector128.Shuffle(factors, Vector128.Create(0));
            sum1 += Vector128.Shuffle(four, pick1).AsInt32() * Vector128.Shuffle(factors, Vector128.Create(1));
            sum += Vector128.Shuffle(four, pick2).AsInt32() * Vector128.Shuffle(factors, Vector128.Create(2));
            sum1 += Vector128.Shuffle(four, pick3).AsInt32() * Vector128.Shuffle(factors, Vector128.Create(3));
        }
        return sum + sum1;
    }

    private static Vector128<int> SumOfPixels(ReadOnlySpan<byte> pixels, ReadOnlySpan<int> weights)
    {
        Vector128<int> sum = Vector128.Create(Half);
        for (int i = 0; i < weights.Length; i++)
            sum += Vector128.Create(pixels[i * 3], pixels[(i * 3) + 1], pixels[(i * 3) + 2], 0) * weights[i];
        return sum;
    }

    private static void Vertical(
        Rows source,
        in ResampleWeights weights,
        int rowBytes,
        int firstRow,
        int rows,
        Span<byte> destination
    )
    {
        for (int y = 0; y < rows; y++)
        {
            ReadOnlySpan<int> factors = weights.Weights(y);
            Rows from = source.From(weights.Start(y) - firstRow);
            Span<byte> to = destination.Slice(y * rowBytes, rowBytes);
            int x = 0;
            for (; x + 32 <= rowBytes; x += 32)
                WeightedColumns(from, x, factors).CopyTo(to[x..]);
            for (; x < rowBytes; x++)
            {
                int sum = Half;
                for (int i = 0; i < factors.Length; i++)
                    sum += from.Row(i)[x] * factors[i];
                to[x] = Clip(sum >> ResampleWeights.PrecisionBits);
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<byte> WeightedColumns(Rows source, int x, ReadOnlySpan<int> weights)
    {
        Vector256<int> sum0 = Vector256.Create(Half),
            sum1 = sum0,
            sum2 = sum0,
            sum3 = sum0;
        for (int i = 0; i < weights.Length; i++)
        {
            Vector256<byte> bytes = Vector256.Create(source.Row(i).Slice(x, 32));
            (Vector256<ushort> low, Vector256<ushort> high) = Vector256.Widen(bytes);
            Vector256<int> weight = Vector256.Create(weights[i]);
            sum0 += Vector256.WidenLower(low).AsInt32() * weight;
            sum1 += Vector256.WidenUpper(low).AsInt32() * weight;
            sum2 += Vector256.WidenLower(high).AsInt32() * weight;
            sum3 += Vector256.WidenUpper(high).AsInt32() * weight;
        }
        return Vector256.Narrow(Vector256.Narrow(Clip(sum0), Clip(sum1)), Vector256.Narrow(Clip(sum2), Clip(sum3)));
    }

    private static Vector256<uint> Clip(Vector256<int> sum) =>
        Vector256.Clamp(sum >> ResampleWeights.PrecisionBits, Vector256<int>.Zero, Vector256.Create(255)).AsUInt32();

    private static byte Clip(int value) => (byte)Math.Clamp(value, 0, 255);

    private static void Check(
        RgbImage source,
        in Resampling resampling,
        PixelRectangle crop,
        ResampleBox box,
        PixelRectangle window,
        int bytes
    )
    {
        if (resampling.Width < 1 || resampling.Height < 1)
            throw new ArgumentException(
                $"A resize to {resampling.Width} x {resampling.Height} was asked for, expected at least 1 x " + "1.",
                nameof(resampling)
            );
        if (!crop.IsInside(source.Width, source.Height))
            throw new ArgumentException(
                $"The crop {crop} is empty or reaches outside the image of {source.Width} x " + $"{source.Height}.",
                nameof(resampling)
            );
        bool boxFits =
            box.Left >= 0
            && box.Left < box.Right
            && box.Right <= crop.Width
            && box.Top >= 0
            && box.Top < box.Bottom
            && box.Bottom <= crop.Height;
        if (!boxFits) // also where a number is NaN
            throw new ArgumentException(
                $"The box {box} is empty or reaches outside the image of {crop.Width} x {crop.Height}.",
                nameof(resampling)
            );
        if (!window.IsInside(resampling.Width, resampling.Height))
            throw new ArgumentException(
                $"The window {window} is empty or reaches outside the result of {resampling.Width} x "
                    + $"{resampling.Height}.",
                nameof(resampling)
            );
        if (bytes != (long)window.Width * window.Height * 3)
            throw new ArgumentException(
                $"The destination has {bytes} bytes, expected {(long)window.Width * window.Height * 3} for "
                    + $"{window.Width} x {window.Height} pixels.",
                nameof(bytes)
            );
    }

    /// <summary>Rows of bytes some stride apart.</summary>
    private readonly ref struct Rows(ReadOnlySpan<byte> pixels, int stride)
    {
        public ReadOnlySpan<byte> Pixels { get; } = pixels;

        public int Stride => stride;

        public Rows From(int row) => new(Pixels[(row * stride)..], stride);

        public ReadOnlySpan<byte> Row(int row) => Pixels[(row * stride)..];
    }
}
