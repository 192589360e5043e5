using System.Runtime.Intrinsics;

namespace Deit.Model.Files;

/// <summary>Widens the half-size floats of checkpoints; exact, as every such value is a float.</summary>
internal static class FloatConversion
{
    /// <summary>bfloat16 is the upper half of a float.</summary>
    /// <param name="source">bfloat16 bits.</param>
    /// <param name="destination">As many floats.</param>
    public static void FromBFloat16(ReadOnlySpan<ushort> source, Span<float> destination)
    {
        int i = 0;
        for (; i + 16 <= source.Length; i += 16)
        {
            (Vector256<uint> low, Vector256<uint> high) = Vector256.Widen(Vector256.Create(source[i..]));
            (low << 16).AsSingle().CopyTo(destination[i..]);
            (high << 16).AsSingle().CopyTo(destination[(i + 8)..]);
        }
        for (; i < source.Length; i++)
            destination[i] = BitConverter.UInt32BitsToSingle((uint)source[i] << 16);
    }

    /// <summary>IEEE half to single; a NaN keeps its bits.</summary>
    /// <param name="source">Half bits.</param>
    /// <param name="destination">As many floats.</param>
    public static void FromHalf(ReadOnlySpan<ushort> source, Span<float> destination)
    {
        int i = 0;
        for (; i + 16 <= source.Length; i += 16)
        {
            (Vector256<uint> low, Vector256<uint> high) = Vector256.Widen(Vector256.Create(source[i..]));
            FromHalf(low).CopyTo(destination[i..]);
            FromHalf(high).CopyTo(destination[(i + 8)..]);
        }
        for (; i < source.Length; i++)
            destination[i] = (float)BitConverter.UInt16BitsToHalf(source[i]);
    }

    // The half's exponent and fraction, moved to the place of a float's, are a float that is too small by the factor
    // 2^(127 - 15). One exact product mends that, subnormals included.
    // Infinity and NaN have the largest exponent of a half and need the largest exponent of a float.
    private static Vector256<float> FromHalf(Vector256<uint> half)
    {
        Vector256<uint> magnitude = half & Vector256.Create(0x7FFFu);
        Vector256<uint> special =
            Vector256.GreaterThanOrEqual(magnitude, Vector256.Create(0x7C00u)) & Vector256.Create(0x7F800000u);
        Vector256<float> scaled = (magnitude << 13).AsSingle() * BitConverter.UInt32BitsToSingle((127u + 112) << 23);
        return (scaled.AsUInt32() | special | ((half & Vector256.Create(0x8000u)) << 16)).AsSingle();
    }

    /// <summary>Double to single, to nearest.</summary>
    /// <param name="source">Doubles.</param>
    /// <param name="destination">As many floats.</param>
    public static void FromDouble(ReadOnlySpan<double> source, Span<float> destination)
    {
        for (int i = 0; i < source.Length; i++)
            destination[i] = (float)source[i];
    }
}
