using System.Runtime.Intrinsics;

namespace Deit.Model.Images;

/// <summary>
/// torchvision's ToTensor and Normalize: bytes to (byte / 255 - mean) / std, interleaved to planar, each step rounded
/// to float.
/// </summary>
internal static class Normalization
{
    /// <summary>Normalises rows into the planes of a picture.</summary>
    /// <param name="rgb">[pixels, 3] bytes.</param>
    /// <param name="mean">Subtracted.</param>
    /// <param name="standardDeviation">Divided by.</param>
    /// <param name="chw">The first plane from the first pixel on; the others follow <paramref name="planeStride"/> apart.</param>
    /// <param name="planeStride">Floats from a plane to the next.</param>
    /// <exception cref="ArgumentException">The destination is too small.</exception>
    public static void Apply(
        ReadOnlySpan<byte> rgb,
        ChannelValues mean,
        ChannelValues standardDeviation,
        Span<float> chw,
        int planeStride
    )
    {
        int pixels = rgb.Length / 3;
        if (pixels > planeStride || chw.Length < (2L * planeStride) + pixels)
            throw new ArgumentException(
                $"Normalising {pixels} pixels into planes {planeStride} apart needs {(2L * planeStride) + pixels} "
                    + $"floats, the destination has {chw.Length}.",
                nameof(chw)
            );
        for (int channel = 0; channel < 3; channel++)
            Channel(rgb, channel, mean[channel], standardDeviation[channel], chw.Slice(channel * planeStride, pixels));
    }

    private static void Channel(ReadOnlySpan<byte> rgb, int channel, float mean, float deviation, Span<float> plane)
    {
        // Four pixels are twelve of sixteen bytes; each goes to the low byte of an integer.
        byte c = (byte)channel;
        Vector128<byte> pick = Vector128.Create(
            c,
            255,
            255,
            255,
            (byte)(c + 3),
            255,
            255,
            255,
            (byte)(c + 6),
            255,
            255,
            255,
            (byte)(c + 9),
            255,
            255,
            255
        );
        int i = 0;
        for (; (i * 3) + 16 <= rgb.Length; i += 4)
        {
            Vector128<int> bytes = Vector128.Shuffle(Vector128.Create(rgb[(i * 3)..]), pick).AsInt32();
            Vector128<float> value =
                ((Vector128.ConvertToSingle(bytes) / 255f) - Vector128.Create(mean)) / Vector128.Create(deviation);
            value.CopyTo(plane[i..]);
        }
        for (; i < plane.Length; i++)
            plane[i] = ((rgb[(i * 3) + channel] / 255f) - mean) / deviation;
    }
}
