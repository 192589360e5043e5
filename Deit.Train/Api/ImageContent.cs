using Deit.Model.Images;

namespace Deit.Train;

/// <summary>An image as a program has it: the bytes of a file, or pixels. A byte array or an <see cref="RgbImage"/> stands
/// for one.</summary>
public sealed class ImageContent
{
    /// <summary>An encoded image, decoded anew each time that it is used.</summary>
    /// <param name="encoded">A whole JPEG, PNG, WebP, GIF or BMP file, which must not change any more.</param>
    public ImageContent(ReadOnlyMemory<byte> encoded) => Encoded = encoded;

    /// <summary>An image as pixels, which take more memory and no time to decode.</summary>
    /// <param name="pixels">The pixels, which must not change any more.</param>
    public ImageContent(RgbImage pixels)
    {
        ArgumentNullException.ThrowIfNull(pixels);
        Pixels = pixels;
    }

    /// <summary>The encoded image; empty where there are <see cref="Pixels"/>.</summary>
    public ReadOnlyMemory<byte> Encoded { get; }

    /// <summary>The pixels; null of an encoded image.</summary>
    public RgbImage? Pixels { get; }

    /// <summary>An encoded image.</summary>
    public static implicit operator ImageContent(byte[] encoded)
    {
        ArgumentNullException.ThrowIfNull(encoded);
        return new ImageContent(encoded.AsMemory());
    }

    /// <summary>An image as pixels.</summary>
    public static implicit operator ImageContent(RgbImage pixels) => new(pixels);
}
