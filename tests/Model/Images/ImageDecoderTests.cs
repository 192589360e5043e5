using Deit.Model.Images;
using SkiaSharp;

namespace Deit.Tests.Model.Images;

public sealed class ImageDecoderTests
{
    [Theory]
    [InlineData(SKEncodedImageFormat.Jpeg, 6)]
    [InlineData(SKEncodedImageFormat.Webp, 6)]
    // The tolerance is for the loss of quality 95 in gradients.
    public void Lossy_formats_keep_a_smooth_picture(SKEncodedImageFormat format, int tolerance)
    {
        RgbImage image = TestImages.Smooth(113, 37),
            decoded = ImageDecoder.Decode(EncodedImages.Skia(image, format), "smooth");
        Assert.Equal((113, 37), (decoded.Width, decoded.Height));
        for (int i = 0; i < image.Pixels.Length; i++)
            Assert.InRange(decoded.Pixels[i], image.Pixels[i] - tolerance, image.Pixels[i] + tolerance);
    }

    [Theory]
    [InlineData(1, 1), InlineData(4, 3), InlineData(5, 2), InlineData(6, 1), InlineData(7, 37), InlineData(113, 11)]
    public void Lossless_formats_keep_every_byte(int width, int height)
    {
        RgbImage image = TestImages.Noise(width, height, seed: width);
        byte[] rgba = [.. image.Pixels.Chunk(3).SelectMany(pixel => (byte[])[.. pixel, 255])];
        foreach (
            byte[] encoded in new[]
            {
                EncodedImages.Png(width, height, 8, 2, image.Pixels),
                EncodedImages.Png(width, height, 8, 6, rgba),
                // v * 257 is the same colour in 16 bits.
                EncodedImages.Png(width, height, 16, 2, [.. image.Pixels.SelectMany(value => (byte[])[value, value])]),
                EncodedImages.Bmp(image),
            }
        )
            Assert.Equal(image.Pixels, ImageDecoder.Decode(encoded, "noise").Pixels);
    }

    [Fact]
    public void Alpha_is_dropped_and_colours_are_neither_blended_nor_scaled()
    {
        byte[] rgba = [200, 100, 50, 255, 200, 100, 50, 128, 200, 100, 50, 3, 200, 100, 50, 0];
        byte[] rgb = [200, 100, 50, 200, 100, 50, 200, 100, 50, 200, 100, 50];
        Assert.Equal(rgb, ImageDecoder.Decode(EncodedImages.Png(4, 1, 8, 6, rgba), "alpha").Pixels);
        Assert.Equal(
            [77, 77, 77, 78, 78, 78],
            ImageDecoder.Decode(EncodedImages.Png(2, 1, 8, 4, [77, 5, 78, 250]), "grey alpha").Pixels
        );
    }

    [Fact]
    public void Grey_and_palettes_become_rgb()
    {
        Assert.Equal(
            [0, 0, 0, 9, 9, 9, 255, 255, 255],
            ImageDecoder.Decode(EncodedImages.Png(3, 1, 8, 0, [0, 9, 255]), "grey").Pixels
        );
        byte[] sixteenBits = EncodedImages.Png(3, 1, 16, 0, [0, 0, 9, 9, 255, 255]);
        Assert.Equal([0, 0, 0, 9, 9, 9, 255, 255, 255], ImageDecoder.Decode(sixteenBits, "grey 16").Pixels);
        byte[] palette = [1, 2, 3, 40, 50, 60];
        Assert.Equal(
            [40, 50, 60, 1, 2, 3],
            ImageDecoder.Decode(EncodedImages.Png(2, 1, 8, 3, [1, 0], palette), "palette").Pixels
        );
        byte[] transparent = EncodedImages.Png(2, 1, 8, 3, [1, 0], palette, transparency: [0, 7]);
        Assert.Equal([40, 50, 60, 1, 2, 3], ImageDecoder.Decode(transparent, "transparent palette").Pixels);
        RgbImage grey = ImageDecoder.Decode(EncodedImages.GreyJpeg(24, 9, 93), "grey jpeg");
        Assert.All(grey.Pixels, value => Assert.Equal(93, value));
    }

    [Fact]
    public void The_first_frame_of_a_gif_counts()
    {
        byte[] palette =
        [
            .. Enumerable.Range(0, 128).SelectMany(i => (byte[])[(byte)i, (byte)(2 * i), (byte)(255 - i)]),
        ];
        byte[] first = [.. Enumerable.Range(0, 37 * 13).Select(i => (byte)(i * 5 % 128))],
            second = new byte[37 * 13];
        RgbImage decoded = ImageDecoder.Decode(EncodedImages.Gif(37, 13, palette, first, second), "gif");
        Assert.Equal((37, 13), (decoded.Width, decoded.Height));
        Assert.Equal(first.SelectMany(i => (byte[])[i, (byte)(2 * i), (byte)(255 - i)]), decoded.Pixels);
    }

    // The place of the stored row 0 and column 0 in the upright picture, by EXIF 2.3, tag 0x0112.
    [Theory]
    [
        InlineData(1, "top", "left"),
        InlineData(2, "top", "right"),
        InlineData(3, "bottom", "right"),
        InlineData(4, "bottom", "left")
    ]
    [
        InlineData(5, "left", "top"),
        InlineData(6, "right", "top"),
        InlineData(7, "right", "bottom"),
        InlineData(8, "left", "bottom")
    ]
    public void Orientation_is_applied(ushort orientation, string rowZero, string columnZero)
    {
        // Two strips of rows as JPEG, and a WebP and a PNG, which are decoded as a whole.
        byte[] jpeg = EncodedImages.Skia(TestImages.Smooth(700, 500), SKEncodedImageFormat.Jpeg);
        byte[] webp = EncodedImages.Skia(TestImages.Noise(7, 5, seed: 2), SKEncodedImageFormat.Webp);
        Check(
            ImageDecoder.Decode(jpeg, "stored"),
            ImageDecoder.Decode(EncodedImages.JpegWithOrientation(jpeg, orientation), "turned")
        );
        Check(
            ImageDecoder.Decode(webp, "stored"),
            ImageDecoder.Decode(EncodedImages.WebpWithOrientation(webp, 7, 5, orientation), "turned")
        );
        byte[] png = EncodedImages.Png(7, 5, 8, 2, TestImages.Noise(7, 5, seed: 3).Pixels);
        Check(
            ImageDecoder.Decode(png, "stored"),
            ImageDecoder.Decode(EncodedImages.PngWithChunk(png, "eXIf", EncodedImages.Tiff(orientation)), "turned")
        );

        void Check(RgbImage stored, RgbImage upright)
        {
            bool swapped = rowZero is "left" or "right";
            Assert.Equal(
                swapped ? (stored.Height, stored.Width) : (stored.Width, stored.Height),
                (upright.Width, upright.Height)
            );
            for (int y = 0; y < stored.Height; y++)
            for (int x = 0; x < stored.Width; x++)
            {
                int fromRow = Place(rowZero, y, upright),
                    fromColumn = Place(columnZero, x, upright);
                (int uprightX, int uprightY) = swapped ? (fromRow, fromColumn) : (fromColumn, fromRow);
                if (stored.At(x, y) != upright.At(uprightX, uprightY))
                    Assert.Fail($"Orientation {orientation}: stored ({x}, {y}) is not at ({uprightX}, {uprightY}).");
            }
        }

        static int Place(string edge, int distance, RgbImage upright) =>
            edge switch
            {
                "bottom" => upright.Height - 1 - distance,
                "right" => upright.Width - 1 - distance,
                _ => distance,
            };
    }

    public static TheoryData<string> Formats => ["jpeg", "progressive", "png", "webp", "bmp", "gif"];

    private static byte[] Encoded(string format)
    {
        RgbImage image = TestImages.Noise(61, 47, seed: 11);
        return format switch
        {
            "jpeg" => EncodedImages.Skia(image, SKEncodedImageFormat.Jpeg),
            "progressive" => EncodedImages.ProgressiveJpeg,
            "png" => EncodedImages.Png(61, 47, 8, 2, image.Pixels),
            "webp" => EncodedImages.Skia(image, SKEncodedImageFormat.Webp),
            "bmp" => EncodedImages.Bmp(image),
            _ => EncodedImages.Gif(
                61,
                47,
                [.. image.Pixels.Take(384)],
                [.. image.Pixels.Take(61 * 47).Select(value => (byte)(value % 128))]
            ),
        };
    }

    [Theory, MemberData(nameof(Formats))]
    public void A_truncated_picture_is_refused(string format)
    {
        byte[] whole = Encoded(format);
        Assert.Equal(format == "progressive" ? 24 : 61, ImageDecoder.Decode(whole, "whole").Width);
        for (int percent = 0; percent < 98; percent += 3)
            Assert.Throws<ImageException>(() =>
                ImageDecoder.Decode(whole.AsSpan(0, whole.Length * percent / 100), "part")
            );
        ImageException error = Assert.Throws<ImageException>(() =>
            ImageDecoder.Decode(whole.AsSpan(0, whole.Length * 9 / 10), "holiday/beach")
        );
        Assert.Contains("holiday/beach", error.Message);
    }

    [Fact]
    public void A_jpeg_cut_short_is_called_so()
    {
        byte[] whole = Encoded("jpeg");
        ImageException error = Assert.Throws<ImageException>(() =>
            ImageDecoder.Decode(whole.AsSpan(0, whole.Length / 2), "half")
        );
        Assert.Contains("cut short", error.Message);
    }

    [Theory, MemberData(nameof(Formats))]
    public void Damaged_bytes_give_a_picture_or_one_kind_of_error(string format)
    {
        byte[] whole = Encoded(format);
        Random random = new(5);
        for (int round = 0; round < 300; round++)
        {
            byte[] damaged = [.. whole];
            for (int flips = random.Next(1, 6); flips > 0; flips--)
                damaged[random.Next(round < 150 ? Math.Min(64, damaged.Length) : damaged.Length)] = (byte)
                    random.Next(256);
            try
            {
                RgbImage image = ImageDecoder.Decode(damaged, "damaged", pixelLimit: 1 << 20);
                Assert.Equal(image.Width * image.Height * 3, image.Pixels.Length);
            }
            catch (ImageException) { }
        }
    }

    public static TheoryData<string> PartFormats => ["4:4:4", "4:2:2", "4:2:0", "grey", "turned", "progressive", "png"];

    private static byte[] EncodedForParts(string format)
    {
        RgbImage noise = TestImages.Noise(331, 197, seed: 3); // no multiple of a block, and without two rows or columns alike
        return format switch
        {
            "4:4:4" => EncodedImages.Jpeg(noise, SKJpegEncoderDownsample.Downsample444),
            "4:2:2" => EncodedImages.Jpeg(noise, SKJpegEncoderDownsample.Downsample422),
            "4:2:0" => EncodedImages.Jpeg(noise, SKJpegEncoderDownsample.Downsample420),
            "grey" => EncodedImages.GreyJpeg(331, 197, 93),
            "turned" => EncodedImages.JpegWithOrientation(
                EncodedImages.Jpeg(noise, SKJpegEncoderDownsample.Downsample420),
                6
            ),
            "progressive" => EncodedImages.ProgressiveJpeg,
            _ => EncodedImages.Png(331, 197, 8, 2, noise.Pixels),
        };
    }

    [Theory, MemberData(nameof(PartFormats))]
    public void A_part_has_the_pixels_of_the_whole(string format)
    {
        byte[] encoded = EncodedForParts(format);
        Random random = new(7);
        for (int round = 0; round < 200; round++)
            AssertPart(encoded, random);
    }

    // An answer about the whole file must not depend on the part: the same samples of a data set are refused in every
    // epoch.
    [Theory, MemberData(nameof(PartFormats))]
    public void A_part_is_refused_where_the_whole_is(string format)
    {
        byte[] encoded = EncodedForParts(format);
        Random random = new(9);
        for (int round = 0; round < 100; round++)
            AssertPart(encoded[..random.Next(encoded.Length)], random);
        for (int round = 0; round < 300; round++)
        {
            byte[] damaged = [.. encoded];
            for (int flips = random.Next(1, 6); flips > 0; flips--)
                damaged[random.Next(round < 100 ? Math.Min(700, damaged.Length) : damaged.Length)] = (byte)
                    random.Next(256);
            AssertPart(damaged, random);
        }
    }

    private static void AssertPart(byte[] encoded, Random random)
    {
        RgbImage? whole = Try(null);
        PixelRectangle part = default;
        RgbImage? partial = Try(
            (width, height) =>
            {
                (int w, int h) = (random.Next(1, width + 1), random.Next(1, height + 1));
                return part = new PixelRectangle(random.Next(width - w + 1), random.Next(height - h + 1), w, h);
            }
        );
        Assert.Equal((whole?.Width, whole?.Height), (partial?.Width, partial?.Height));
        for (int y = part.Y; whole is not null && y < part.Y + part.Height; y++)
        {
            Range row = (((y * whole.Width) + part.X) * 3)..(((y * whole.Width) + part.X + part.Width) * 3);
            Assert.True(
                whole.Pixels.AsSpan(row).SequenceEqual(partial!.Pixels.AsSpan(row)),
                $"Row {y} of {part} differs from that of the whole."
            );
        }

        RgbImage? Try(ImagePart? part)
        {
            try
            {
                return ImageDecoder.Decode(encoded, "part", pixelLimit: 1 << 20, part: part);
            }
            catch (ImageException)
            {
                return null;
            }
        }
    }

    [Fact]
    public void What_is_no_picture_is_refused()
    {
        Assert.Throws<ImageException>(() => ImageDecoder.Decode([], "empty"));
        Assert.Throws<ImageException>(() => ImageDecoder.Decode("a text, not a picture"u8, "text"));
        Assert.Throws<ImageException>(() => ImageDecoder.Decode(Path.Combine(Path.GetTempPath(), "no", "such.jpg")));
        Assert.Throws<ImageException>(() => ImageDecoder.Decode(Path.GetTempPath()));
        Assert.Throws<ImageException>(() => ImageDecoder.Decode(""));
    }

    [Fact]
    public void Too_many_pixels_are_refused_before_memory_is_taken()
    {
        byte[] huge = EncodedImages.Png(60_000, 60_000, 8, 2, []);
        long before = GC.GetAllocatedBytesForCurrentThread();
        ImageException error = Assert.Throws<ImageException>(() => ImageDecoder.Decode(huge, "huge"));
        Assert.True(GC.GetAllocatedBytesForCurrentThread() - before < 1 << 20);
        Assert.Contains("60000 x 60000", error.Message);

        byte[] small = EncodedImages.Png(7, 5, 8, 2, new byte[105]);
        Assert.Throws<ImageException>(() => ImageDecoder.Decode(small, "small", pixelLimit: 34));
        Assert.Equal(7, ImageDecoder.Decode(small, "small", pixelLimit: 35).Width);
    }

    [Fact]
    public void A_jpeg_is_reduced_only_as_far_as_asked()
    {
        byte[] jpeg = EncodedImages.Skia(TestImages.Smooth(800, 480), SKEncodedImageFormat.Jpeg);
        (int MinimumSide, int Width, int Height)[] cases =
        [
            (0, 800, 480),
            (30, 100, 60),
            (31, 200, 120),
            (100, 400, 240),
            (121, 500, 300),
            (240, 800, 480),
            (9999, 800, 480),
        ];
        foreach ((int minimumSide, int width, int height) in cases)
        {
            RgbImage image = ImageDecoder.Decode(jpeg, "reduced", minimumSide);
            Assert.Equal((width, height), (image.Width, image.Height));
        }
        // The picture is the same, but smaller: its centre has the centre's colour, up to the loss of the lossy format.
        (int r, int g, int b) = ImageDecoder.Decode(jpeg, "reduced", 30).At(50, 30);
        (int fullR, int fullG, int fullB) = TestImages.Smooth(800, 480).At(404, 244);
        Assert.InRange(Math.Abs(r - fullR) + Math.Abs(g - fullG) + Math.Abs(b - fullB), 0, 9);
    }

    [Fact]
    public void Files_streams_and_bytes_give_the_same()
    {
        byte[] png = Encoded("png");
        string path = Path.GetTempFileName();
        try
        {
            File.WriteAllBytes(path, png);
            RgbImage expected = ImageDecoder.Decode(png, "bytes");
            Assert.Equal(expected.Pixels, ImageDecoder.Decode(path).Pixels);
            using MemoryStream seekable = new([1, 2, 3, .. png]) { Position = 3 };
            Assert.Equal(expected.Pixels, ImageDecoder.Decode(seekable, "stream").Pixels);
            byte[] larger = EncodedImages.Png(113, 900, 8, 2, TestImages.Noise(113, 900, seed: 1).Pixels);
            using BufferedStream unseekable = new(new OnlyForward(larger));
            Assert.Equal(
                TestImages.Noise(113, 900, seed: 1).Pixels,
                ImageDecoder.Decode(unseekable, "unseekable").Pixels
            );
        }
        finally
        {
            File.Delete(path);
        }
    }

    [Fact]
    public void A_picture_of_more_than_64_megapixels_is_decoded()
    {
        byte[] jpeg = EncodedImages.GreyJpeg(9000, 7200, 200);
        RgbImage image = ImageDecoder.Decode(jpeg, "large");
        Assert.Equal((9000, 7200), (image.Width, image.Height));
        Assert.Equal(-1, image.Pixels.AsSpan().IndexOfAnyExcept((byte)200));
    }

    [Fact]
    public void A_saved_png_is_read_back()
    {
        string path = Path.GetTempFileName();
        try
        {
            RgbImage image = TestImages.Noise(113, 37, seed: 12);
            ImageEncoder.SavePng(image, path);
            Assert.Equal(image.Pixels, ImageDecoder.Decode(path).Pixels);
        }
        finally
        {
            File.Delete(path);
        }
    }

    private sealed class OnlyForward(byte[] bytes) : MemoryStream(bytes)
    {
        public override bool CanSeek => false;
    }
}
