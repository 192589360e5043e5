using Deit.Model.Images;
using SixLabors.ImageSharp;
using SixLabors.ImageSharp.Formats;
using SixLabors.ImageSharp.Formats.Bmp;
using SixLabors.ImageSharp.Formats.Png;
using SixLabors.ImageSharp.Formats.Webp;
using SixLabors.ImageSharp.PixelFormats;
using SkiaSharp;

namespace Deit.Tests.Model.Images;

/// <summary>
/// Formats that keep every bit, by a decoder of another maker: the pictures must be equal. ImageSharp, Skia and the tests themselves write
/// the files.
/// </summary>
public sealed class LosslessOracleTests
{
    private static readonly (int Width, int Height)[] Sizes = [(1, 1), (7, 5), (16, 16), (37, 23)];

    private static byte[] Noise(int count, int seed)
    {
        byte[] bytes = new byte[count];
        new Random(seed).NextBytes(bytes);
        return bytes;
    }

    /// <summary>Noise of 16 bits whose alpha is noise too, so that a colour that somebody blends or clears is noticed.</summary>
    private static byte[] Encoded(int width, int height, IImageEncoder encoder)
    {
        using Image<Rgba64> image = Image.LoadPixelData<Rgba64>(Noise(width * height * 8, seed: width), width, height);
        using MemoryStream encoded = new();
        image.Save(encoded, encoder);
        return encoded.ToArray();
    }

    private static void AssertAllSizes(IImageEncoder encoder)
    {
        foreach ((int width, int height) in Sizes)
            ImageSharpOracle.AssertAgrees(Encoded(width, height, encoder));
    }

    // What the table of PNG's specification allows.
    public static TheoryData<PngColorType, PngBitDepth> PngKinds =>
        new()
        {
            { PngColorType.Grayscale, PngBitDepth.Bit1 },
            { PngColorType.Grayscale, PngBitDepth.Bit2 },
            { PngColorType.Grayscale, PngBitDepth.Bit4 },
            { PngColorType.Grayscale, PngBitDepth.Bit8 },
            { PngColorType.Grayscale, PngBitDepth.Bit16 },
            { PngColorType.GrayscaleWithAlpha, PngBitDepth.Bit8 },
            { PngColorType.GrayscaleWithAlpha, PngBitDepth.Bit16 },
            { PngColorType.Palette, PngBitDepth.Bit1 },
            { PngColorType.Palette, PngBitDepth.Bit2 },
            { PngColorType.Palette, PngBitDepth.Bit4 },
            { PngColorType.Palette, PngBitDepth.Bit8 },
            { PngColorType.Rgb, PngBitDepth.Bit8 },
            { PngColorType.Rgb, PngBitDepth.Bit16 },
            { PngColorType.RgbWithAlpha, PngBitDepth.Bit8 },
            { PngColorType.RgbWithAlpha, PngBitDepth.Bit16 },
        };

    [Theory, MemberData(nameof(PngKinds))]
    public void A_png_of_ImageSharp(PngColorType colours, PngBitDepth bits)
    {
        AssertAllSizes(Encoder(PngInterlaceMode.None));
        // Interlaced in one size alone: on the smallest pictures of less than 8 bits ImageSharp's encoder never ends.
        ImageSharpOracle.AssertAgrees(Encoded(37, 23, Encoder(PngInterlaceMode.Adam7)));

        PngEncoder Encoder(PngInterlaceMode interlace) =>
            new()
            {
                ColorType = colours,
                BitDepth = bits,
                InterlaceMethod = interlace,
                FilterMethod = PngFilterMethod.Adaptive,
                TransparentColorMode = PngTransparentColorMode.Preserve,
            };
    }

    // Every byte of a row is noise, so that also the bits behind a row's last pixel are set.
    [Theory, MemberData(nameof(PngKinds))]
    public void A_png_by_hand(PngColorType colours, PngBitDepth bits)
    {
        int samples = colours switch
        {
            PngColorType.Rgb => 3,
            PngColorType.GrayscaleWithAlpha => 2,
            PngColorType.RgbWithAlpha => 4,
            _ => 1,
        };
        foreach ((int width, int height) in Sizes)
        {
            byte[] rows = Noise(((width * samples * (int)bits) + 7) / 8 * height, seed: height);
            byte[]? palette = colours == PngColorType.Palette ? Noise(3 << (int)bits, seed: 1) : null;
            ImageSharpOracle.AssertAgrees(EncodedImages.Png(width, height, (byte)bits, (byte)colours, rows, palette));
            // Of a palette an alpha for each colour, of grey and RGB the one colour that is transparent.
            byte[]? transparent = colours switch
            {
                PngColorType.Palette => Noise(1 << (int)bits, seed: 2),
                PngColorType.Grayscale => [0, 1],
                PngColorType.Rgb => [0, rows[0], 0, rows[1], 0, rows[2]],
                _ => null,
            };
            if (transparent is not null)
                ImageSharpOracle.AssertAgrees(
                    EncodedImages.Png(width, height, (byte)bits, (byte)colours, rows, palette, transparent)
                );
        }
    }

    // Gamma and colour profiles are ignored by both decoders and by Pillow's convert("RGB").
    [Fact]
    public void A_png_with_a_gamma() =>
        ImageSharpOracle.AssertAgrees(
            EncodedImages.PngWithChunk(EncodedImages.Png(7, 5, 8, 2, Noise(105, seed: 3)), "gAMA", [0, 1, 0x86, 0xA0])
        );

    [Theory]
    [InlineData(BmpBitsPerPixel.Pixel8), InlineData(BmpBitsPerPixel.Pixel24), InlineData(BmpBitsPerPixel.Pixel32)]
    public void A_bmp_of_ImageSharp(BmpBitsPerPixel bits)
    {
        AssertAllSizes(new BmpEncoder { BitsPerPixel = bits });
        AssertAllSizes(new BmpEncoder { BitsPerPixel = bits, SupportTransparency = true });
    }

    public static TheoryData<string> BmpKinds =>
        [
            "1",
            "4",
            "8",
            "24",
            "32",
            "8 top-down",
            "24 top-down",
            "32 with masks",
            "32 with masks of other order",
            "8 of OS/2",
            "24 of OS/2",
            "runs of 8",
            "runs of 4",
            "runs with a gap",
        ];

    private static byte[] Bmp(string kind)
    {
        byte[] palette = [.. Noise(768, seed: 4).Chunk(3).SelectMany(colour => (byte[])[.. colour, 0])];
        byte[] Rows(int bytes) => Noise(bytes, seed: 5);
        // Three pixels of 7, then four as they stand, then one of 9; the end of the row, at last the end of the picture.
        byte[] Runs(byte[] run, byte[] plain, byte[] single)
        {
            byte[] row = [3, .. run, 0, 4, .. plain, 1, .. single, 0, 0];
            return [.. row, .. row, .. row, .. row[..^2], 0, 1];
        }
        return kind switch
        {
            "1" => EncodedBmp.Write(8, 4, 1, Rows(16), palette[..8]),
            "4" => EncodedBmp.Write(8, 4, 4, Rows(16), palette[..64]),
            "8" => EncodedBmp.Write(7, 4, 8, Rows(32), palette),
            "24" => EncodedBmp.Write(7, 4, 24, Rows(96)),
            "32" => EncodedBmp.Write(7, 4, 32, Rows(112)),
            "8 top-down" => EncodedBmp.Write(7, -4, 8, Rows(32), palette),
            "24 top-down" => EncodedBmp.Write(7, -4, 24, Rows(96)),
            "32 with masks" => Masked(0xFF0000, 0xFF00, 0xFF),
            "32 with masks of other order" => Masked(0xFF000000, 0xFF0000, 0xFF00),
            "8 of OS/2" => EncodedBmp.WriteCore(7, 4, 8, Rows(32), Noise(768, seed: 6)),
            "24 of OS/2" => EncodedBmp.WriteCore(7, 4, 24, Rows(96)),
            "runs of 8" => EncodedBmp.Write(8, 4, 8, Runs([7], [1, 2, 3, 4], [9]), palette, EncodedBmp.Runs8),
            "runs of 4" => EncodedBmp.Write(
                8,
                4,
                4,
                Runs([0x57], [0x12, 0x34], [0x90]),
                palette[..64],
                EncodedBmp.Runs4
            ),
            // A step of 2 to the right and 1 up. What it leaves out is colour 0 in both decoders; Pillow 9.4 puts the pixels behind the
            // gap elsewhere.
            _ => EncodedBmp.Write(8, 4, 8, [3, 7, 0, 0, 0, 2, 2, 1, 4, 9, 0, 0, 0, 1], palette, EncodedBmp.Runs8),
        };
        byte[] Masked(params uint[] masks) => EncodedBmp.Write(7, 4, 32, Rows(112), null, EncodedBmp.Masks, masks);
    }

    [Theory, MemberData(nameof(BmpKinds))]
    public void A_bmp_by_hand(string kind) => ImageSharpOracle.AssertAgrees(Bmp(kind));

    // 5 bits become 8 in three ways: Skia, and so Deit, takes the nearest of x * 255 / 31; ImageSharp repeats the upper bits; Pillow
    // cuts the quotient off. They are one level apart at most.
    [Fact]
    public void A_bmp_of_16_bits_is_within_a_level()
    {
        byte[] rows = Noise(64 * 48, seed: 7);
        byte[] fives = EncodedBmp.Write(32, 48, 16, rows),
            fiveSixFive = EncodedBmp.Write(32, 48, 16, rows, null, EncodedBmp.Masks, [0xF800, 0x7E0, 0x1F]);
        ImageSharpOracle.AssertAgrees(fives, tolerance: 1);
        ImageSharpOracle.AssertAgrees(fiveSixFive, tolerance: 1);
        RgbImage decoded = RgbImage.Decode(fives);
        int first = BitConverter.ToUInt16(rows, 47 * 64); // the last row of the file is the first of the picture
        Assert.Equal(
            [Nearest(first >> 10), Nearest(first >> 5), Nearest(first)],
            decoded.Pixels[..3].Select(value => (int)value)
        );

        static int Nearest(int bits) => (int)Math.Round((bits & 31) * 255 / 31.0);
    }

    // ImageSharp makes at most 256 colours of the noise, one of them transparent.
    [Fact]
    public void A_gif_of_ImageSharp() => AssertAllSizes(new SixLabors.ImageSharp.Formats.Gif.GifEncoder());

    [Fact]
    public void The_first_frame_of_a_gif_by_hand()
    {
        byte[] palette = Noise(384, seed: 8);
        byte[] Frame(int seed) => [.. Noise(37 * 13, seed).Select(value => (byte)(value % 128))];
        ImageSharpOracle.AssertAgrees(EncodedImages.Gif(37, 13, palette, Frame(9)));
        ImageSharpOracle.AssertAgrees(EncodedImages.Gif(37, 13, palette, Frame(9), Frame(10)));
    }

    // Here ImageSharp is not followed: it makes a transparent pixel black, where Pillow's convert("RGB") keeps its colour of the
    // palette, as both decoders keep it in all other formats.
    [Fact]
    public void Transparent_pixels_of_a_gif_keep_their_colour()
    {
        byte[] palette = Noise(384, seed: 8);
        byte[] gif = EncodedImages.Gif(3, 1, palette, [5, 6, 7]);
        int control = 13 + palette.Length;
        (gif[control + 3], gif[control + 6]) = (1, 6); // colour 6 is transparent
        byte[] ours = RgbImage.Decode(gif).Pixels,
            theirs = ImageSharpOracle.Decode(gif).Pixels;
        Assert.Equal(palette[15..24], ours);
        Assert.Equal([.. palette[15..18], 0, 0, 0, .. palette[21..24]], theirs);
    }

    [Theory]
    [InlineData(WebpTransparentColorMode.Preserve), InlineData(WebpTransparentColorMode.Clear)]
    public void A_lossless_webp_of_ImageSharp(WebpTransparentColorMode mode) =>
        AssertAllSizes(new WebpEncoder { FileFormat = WebpFileFormatType.Lossless, TransparentColorMode = mode });

    [Fact]
    public void A_lossless_webp_of_Skia()
    {
        foreach ((int width, int height) in Sizes)
        foreach (RgbImage image in (RgbImage[])[TestImages.Noise(width, height, 1), TestImages.Smooth(width, height)])
        {
            byte[] encoded = EncodedImages.LosslessWebp(image);
            ImageSharpOracle.AssertAgrees(encoded);
            ImageSharpOracle.AssertClose(image, RgbImage.Decode(encoded), tolerance: 0);
        }
    }

    // It loses when it is written. How it is read is defined to the bit (RFC 6386), the smoothing of its colours included.
    [Theory, InlineData(20), InlineData(75), InlineData(100)]
    public void A_lossy_webp(int quality)
    {
        foreach ((int width, int height) in Sizes)
        {
            AssertWebp(TestImages.Noise(width, height, seed: 2));
            AssertWebp(TestImages.Smooth(width, height));
        }

        void AssertWebp(RgbImage image) =>
            ImageSharpOracle.AssertAgrees(EncodedImages.Skia(image, SKEncodedImageFormat.Webp, quality));
    }
}
