using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Deit.Model.Images;

namespace Deit.Train.Data.Augmentation;

/// <summary>
/// The colours of a picture between its pixels, by the cubic convolution of Pillow's Geometry.c (a = -1): along four
/// rows, then down. The arithmetic is Pillow's, operation by operation in double precision, because the result is
/// truncated and every other order would show in it.
/// </summary>
internal readonly ref struct CubicSampler(RgbImage image)
{
    private readonly ReadOnlySpan<byte> _pixels = image.Pixels;
    private readonly int _width = image.Width,
        _height = image.Height;

    /// <summary>The colour of a place; pixels beyond the edges are those at the edges.</summary>
    /// <param name="x">The column; whole numbers are the centres of pixels.</param>
    /// <param name="y">The row.</param>
    public Pixel At(double x, double y)
    {
        int column = (int)Math.Floor(x),
            row = (int)Math.Floor(y);
        double dx = x - column,
            dy = y - row;
        Vector256<double> value = Row(row, column, dx);
        if (dy != 0) // 0 for shears and translations along x, which read no place between rows
            value = Cubic(Row(row - 1, column, dx), value, Row(row + 1, column, dx), Row(row + 2, column, dx), dy);
        value = Vector256.Clamp(value, Vector256<double>.Zero, Vector256.Create(255.0));
        return new Pixel((byte)value.GetElement(0), (byte)value.GetElement(1), (byte)value.GetElement(2));
    }

    // Lanes are R, G, B and one without meaning.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private Vector256<double> Row(int row, int column, double dx)
    {
        int start = Math.Clamp(row, 0, _height - 1) * _width,
            first = (start + column - 1) * 3;
        if (dx == 0) // so for shears and translations along y, which read no place between columns
            return Load(start, column);
        if (column >= 1 && column + 2 < _width && first + 16 <= _pixels.Length)
        {
            // Four pixels are twelve of sixteen bytes.
            Vector128<byte> four = Vector128.Create(_pixels.Slice(first, 16));
            return Cubic(Widen(four, 0), Widen(four, 3), Widen(four, 6), Widen(four, 9), dx);
        }
        return Cubic(
            Load(start, column - 1),
            Load(start, column),
            Load(start, column + 1),
            Load(start, column + 2),
            dx
        );
    }

    private Vector256<double> Load(int rowStart, int column)
    {
        int i = (rowStart + Math.Clamp(column, 0, _width - 1)) * 3;
        if (i + 16 <= _pixels.Length)
            return Widen(Vector128.Create(_pixels.Slice(i, 16)), 0);
        return Vector256.Create(_pixels[i], _pixels[i + 1], _pixels[i + 2], 0.0);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<double> Widen(Vector128<byte> bytes, byte at)
    {
        Vector128<byte> pick = Vector128.Create(
            at,
            255,
            255,
            255,
            (byte)(at + 1),
            255,
            255,
            255,
            (byte)(at + 2),
            255,
            255,
            255,
            255,
            255,
            255,
            255
        );
        Vector128<float> values = Vector128.ConvertToSingle(Vector128.Shuffle(bytes, pick).AsInt32());
        return Vector256.WidenLower(values.ToVector256Unsafe());
    }

    // No fused multiply-add: it would round once where Pillow rounds twice.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<double> Cubic(
        Vector256<double> v1,
        Vector256<double> v2,
        Vector256<double> v3,
        Vector256<double> v4,
        double d
    )
    {
        Vector256<double> p2 = v3 - v1,
            p3 = ((v1 - v2) * 2.0) + v3 - v4,
            p4 = v2 - v1 - v3 + v4,
            t = Vector256.Create(d);
        return v2 + (t * (p2 + (t * (p3 + (t * p4)))));
    }
}
