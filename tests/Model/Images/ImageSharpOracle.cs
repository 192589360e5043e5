using Deit.Model.Images;
using SixLabors.ImageSharp;
using SixLabors.ImageSharp.PixelFormats;
using SixLabors.ImageSharp.Processing;

namespace Deit.Tests.Model.Images;

/// <summary>
/// SixLabors.ImageSharp's own decoders: managed code that shares nothing with Skia, libjpeg, libpng and libwebp. What the two decoders
/// disagree in was compared with Pillow 9.4; the tests say who is right.
/// </summary>
internal static class ImageSharpOracle
{
    /// <summary>Decodes the first frame of a picture and turns it upright.</summary>
    /// <remarks>
    /// The upper 8 of 16 bits are taken: an 8-bit value v is v * 257 in 16 bits, so that it comes back unchanged, and of 16-bit files
    /// Pillow takes the upper byte too. ImageSharp's own conversion to 8 bits would round.
    /// </remarks>
    public static RgbImage Decode(byte[] encoded)
    {
        using Image<Rgba64> image = Image.Load<Rgba64>(encoded);
        image.Mutate(context => context.AutoOrient());
        byte[] pixels = new byte[image.Width * image.Height * 3];
        for (int y = 0, at = 0; y < image.Height; y++)
        for (int x = 0; x < image.Width; x++)
        {
            Rgba64 pixel = image[x, y];
            foreach (ushort channel in (ReadOnlySpan<ushort>)[pixel.R, pixel.G, pixel.B])
                pixels[at++] = (byte)(channel >> 8);
        }
        return new RgbImage(image.Width, image.Height, pixels);
    }

    /// <summary>The picture of ImageSharp's class for pixels of RGB and alpha.</summary>
    /// <param name="rgba">[height, width, 4].</param>
    /// <param name="width">Columns.</param>
    /// <param name="height">Rows.</param>
    public static Image<Rgba32> Picture(byte[] rgba, int width, int height) =>
        Image.LoadPixelData<Rgba32>(rgba, width, height);

    /// <summary>Asserts that both decoders give the same picture.</summary>
    /// <param name="encoded">The picture.</param>
    /// <param name="tolerance">The largest difference of a value, in levels of 255.</param>
    public static void AssertAgrees(byte[] encoded, int tolerance = 0) =>
        AssertClose(Decode(encoded), RgbImage.Decode(encoded), tolerance);

    /// <summary>Asserts that a picture is another one within a tolerance.</summary>
    public static void AssertClose(RgbImage expected, RgbImage actual, int tolerance)
    {
        Assert.Equal((expected.Width, expected.Height), (actual.Width, actual.Height));
        for (int i = 0; i < expected.Pixels.Length; i++)
            if (Math.Abs(expected.Pixels[i] - actual.Pixels[i]) > tolerance)
                Assert.Fail(
                    $"Column {i / 3 % expected.Width} of row {i / 3 / expected.Width} is {actual.Pixels[i]} in channel "
                        + $"{i % 3}, expected {expected.Pixels[i]} with a tolerance of {tolerance}."
                );
    }
}
