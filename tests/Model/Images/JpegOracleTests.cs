using Deit.Model.Images;
using SixLabors.ImageSharp;
using SixLabors.ImageSharp.Formats.Jpeg;
using SixLabors.ImageSharp.PixelFormats;
using SkiaSharp;

namespace Deit.Tests.Model.Images;

/// <summary>
/// JPEG by a decoder of another maker. The standard leaves the rounding of the transform and of the colours to the decoder, so that the
/// pictures are close and not equal. Ours are Skia's, whose libjpeg-turbo is that of Pillow: on 224 files they had its bits.
/// </summary>
public sealed class JpegOracleTests
{
    /// <summary>The largest difference of nearly all values, in levels of 255.</summary>
    /// <remarks>
    /// libjpeg computes the transform in integers, up to 1 level beside the exact value, and rounds Y, Cb and Cr to levels before it mixes
    /// them: half a level of Cb is 0.9 of blue. ImageSharp rounds once, at the end.
    /// </remarks>
    public const int Tolerance = 2;

    // Where both errors come together: one value in some thousand, of noise and of smooth pictures.
    private const int Rarely = Tolerance + 1,
        ValuesToARareOne = 1000;

    private static readonly (int Width, int Height)[] Sizes = [(1, 1), (7, 5), (16, 16), (17, 9), (64, 40), (113, 61)];

    private static void AssertClose(byte[] encoded)
    {
        RgbImage expected = ImageSharpOracle.Decode(encoded),
            actual = RgbImage.Decode(encoded);
        ImageSharpOracle.AssertClose(expected, actual, Rarely);
        int rare = expected.Pixels.Zip(actual.Pixels).Count(pair => Math.Abs(pair.First - pair.Second) > Tolerance);
        Assert.InRange(rare, 0, 1 + (expected.Pixels.Length / ValuesToARareOne));
    }

    private static byte[] Saved(RgbImage image, JpegColorType colours, int quality)
    {
        using Image<Rgb24> saved = Image.LoadPixelData<Rgb24>(image.Pixels, image.Width, image.Height);
        using MemoryStream encoded = new();
        saved.SaveAsJpeg(encoded, new JpegEncoder { ColorType = colours, Quality = quality });
        return encoded.ToArray();
    }

    [Theory]
    [InlineData(JpegColorType.YCbCrRatio444), InlineData(JpegColorType.Luminance), InlineData(JpegColorType.Rgb)]
    public void A_jpeg_of_ImageSharp(JpegColorType colours)
    {
        foreach ((int width, int height) in Sizes)
        foreach (int quality in (int[])[50, 90, 100])
        {
            AssertClose(Saved(TestImages.Smooth(width, height), colours, quality));
            AssertClose(Saved(TestImages.Noise(width, height, seed: 3), colours, quality));
        }
    }

    [Fact]
    public void A_jpeg_of_Skia()
    {
        foreach ((int width, int height) in Sizes)
        {
            AssertClose(Full(TestImages.Smooth(width, height)));
            AssertClose(Full(TestImages.Noise(width, height, seed: 4)));
        }
        ImageSharpOracle.AssertAgrees(EncodedImages.GreyJpeg(33, 47, 93), Tolerance);
        ImageSharpOracle.AssertAgrees(EncodedImages.ProgressiveJpeg, Tolerance);

        static byte[] Full(RgbImage image) => EncodedImages.Jpeg(image, SKJpegEncoderDownsample.Downsample444);
    }

    // Four channels, inverted as Adobe's programs write them. Both decoders multiply the colours with black, as Pillow does.
    [Fact]
    public void A_jpeg_for_print() => ImageSharpOracle.AssertAgrees(EncodedImages.CmykJpeg, Tolerance);

    // The mark of Adobe says that the channels are red, green and blue. Beside the mark of JFIF, whose channels are Y, Cb and Cr,
    // libjpeg, and so Pillow, does not believe it; ImageSharp does.
    [Fact]
    public void A_jpeg_with_the_mark_of_Adobe()
    {
        const int Start = 2,
            JfifEnd = Start + 18;
        byte[] adobe = [0xFF, 0xEE, 0, 14, .. "Adobe"u8, 0, 100, 0, 0, 0, 0, 0];
        RgbImage image = TestImages.Smooth(33, 19);
        byte[] jfif = EncodedImages.Jpeg(image, SKJpegEncoderDownsample.Downsample444),
            alone = [.. jfif[..Start], .. adobe, .. jfif[JfifEnd..]],
            both = [.. jfif[..JfifEnd], .. adobe, .. jfif[JfifEnd..]];
        AssertClose(alone);
        Assert.NotEqual(RgbImage.Decode(jfif).Pixels, RgbImage.Decode(alone).Pixels);
        Assert.Equal(RgbImage.Decode(jfif).Pixels, RgbImage.Decode(both).Pixels);
    }

    // Where colours are stored at half the width, ImageSharp repeats each of them for its two or four pixels; libjpeg, and so Pillow and
    // Deit, runs from one to the next. With that filter applied to ImageSharp's colours, the pictures are the same.
    [Theory]
    [InlineData(SKJpegEncoderDownsample.Downsample420), InlineData(SKJpegEncoderDownsample.Downsample422)]
    public void A_jpeg_with_fewer_colours(SKJpegEncoderDownsample colours)
    {
        bool rows = colours == SKJpegEncoderDownsample.Downsample420;
        foreach ((int width, int height) in Sizes.Where(size => size.Width > 16))
            AssertSmoothed(EncodedImages.Jpeg(TestImages.Smooth(width, height), colours), rows, leastCompared: 1);
    }

    [Theory, InlineData("img0.jpg"), InlineData("img1.jpg")]
    public void A_photograph(string name) =>
        AssertSmoothed(
            File.ReadAllBytes(Path.Combine(AppContext.BaseDirectory, "Golden", "data", "augment", "images", name)),
            halfRows: true,
            leastCompared: 0.5
        );

    private static void AssertSmoothed(byte[] encoded, bool halfRows, double leastCompared)
    {
        RgbImage ours = RgbImage.Decode(encoded),
            repeated = ImageSharpOracle.Decode(encoded);
        Assert.Equal((repeated.Width, repeated.Height), (ours.Width, ours.Height));
        HalvedColours theirs = new(repeated, halfRows);
        int compared = 0,
            largest = 0;
        for (int y = 0; y < ours.Height; y++)
        for (int x = 0; x < ours.Width; x++)
        {
            if (theirs.At(x, y) is not { } expected)
                continue;
            compared++;
            (int r, int g, int b) = ours.At(x, y);
            foreach (double difference in (double[])[r - expected.R, g - expected.G, b - expected.B])
                largest = Math.Max(largest, (int)Math.Ceiling(Math.Abs(difference)));
        }
        TestContext.Current.TestOutputHelper?.WriteLine($"{compared} pixels, largest difference {largest}");
        Assert.InRange(compared, leastCompared * ours.Width * ours.Height, double.MaxValue);
        Assert.InRange(largest, 0, HalvedColours.Tolerance);
    }
}
