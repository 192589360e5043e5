using Deit.Model.Images;

namespace Deit.Tests.Model.Images;

public sealed class ResamplerTests
{
    private static readonly ResampleFilter[] Filters = Enum.GetValues<ResampleFilter>();

    public static TheoryData<int, int, int, int> Sizes =>
        new()
        {
            { 1, 1, 1, 1 },
            { 1, 1, 7, 37 },
            { 7, 37, 1, 1 },
            { 7, 37, 113, 37 },
            { 7, 37, 7, 113 },
            { 113, 37, 37, 7 },
            { 113, 37, 112, 38 },
            { 37, 113, 7, 1 },
            { 64, 64, 32, 32 },
            { 5, 4, 11, 11 },
            { 331, 17, 11, 17 },
            { 40, 30, 40, 30 },
        };

    [Theory, MemberData(nameof(Sizes))]
    public void Agrees_with_a_double_precision_resize(int width, int height, int newWidth, int newHeight)
    {
        RgbImage source = TestImages.Noise(width, height, seed: width + (1000 * newHeight));
        foreach (ResampleFilter filter in Filters)
            Compare(source, new Resampling(newWidth, newHeight, filter));
    }

    [Theory]
    [InlineData(0f, 0f, 113f, 37f)]
    [InlineData(0.5f, 0.25f, 112.75f, 36.5f)]
    [InlineData(3.3f, 5.7f, 4.1f, 6.2f)]
    [InlineData(100f, 0f, 113f, 1f)]
    public void Agrees_with_a_double_precision_resize_of_a_box(float left, float top, float right, float bottom)
    {
        RgbImage source = TestImages.Noise(113, 37, seed: 4);
        foreach (ResampleFilter filter in Filters)
            Compare(source, new Resampling(37, 7, filter) { Box = new ResampleBox(left, top, right, bottom) });
    }

    [Fact]
    public void A_crop_equals_cutting_the_picture_out_first()
    {
        RgbImage source = TestImages.Noise(113, 37, seed: 5);
        foreach (
            PixelRectangle crop in new PixelRectangle[]
            {
                new(0, 0, 113, 37),
                new(112, 36, 1, 1),
                new(7, 3, 31, 29),
                new(100, 1, 13, 36),
            }
        )
        foreach (ResampleFilter filter in Filters)
        foreach (
            (int width, int height) in new[]
            {
                (24, 24),
                (crop.Width, 24),
                (24, crop.Height),
                (crop.Width, crop.Height),
            }
        )
            Assert.Equal(
                Resampler.Resize(Cut(source, crop), width, height, filter).Pixels,
                Resampler.Resize(source, new Resampling(width, height, filter) { Crop = crop }).Pixels
            );
    }

    [Fact]
    public void A_window_equals_a_part_of_the_whole_result()
    {
        RgbImage source = TestImages.Noise(113, 37, seed: 6);
        foreach ((int width, int height) in new[] { (61, 43), (113, 43), (61, 37), (113, 37) })
        {
            foreach (
                PixelRectangle window in new PixelRectangle[]
                {
                    new(0, 0, 1, 1),
                    new(60, 36, 1, 1),
                    new(11, 7, 37, 29),
                    new(0, 1, 61, 2),
                }
            )
            foreach (ResampleFilter filter in Filters)
                Assert.Equal(
                    Cut(Resampler.Resize(source, width, height, filter), window).Pixels,
                    Resampler.Resize(source, new Resampling(width, height, filter) { Window = window }).Pixels
                );
        }
    }

    [Fact]
    public void The_same_size_is_a_copy()
    {
        RgbImage source = TestImages.Noise(37, 7, seed: 7);
        Assert.Equal(source.Pixels, Resampler.Resize(source, 37, 7, ResampleFilter.Lanczos).Pixels);
    }

    [Fact]
    public void Allocates_nothing_with_a_destination_of_the_caller()
    {
        RgbImage source = TestImages.Noise(113, 87, seed: 8);
        byte[] destination = new byte[24 * 24 * 3];
        Resampling resampling = new(24, 24, ResampleFilter.Bicubic) { Crop = new PixelRectangle(3, 5, 90, 70) };
        for (int i = 0; i < 3; i++) // the pools fill
            Resampler.Resize(source, resampling, destination);
        long before = GC.GetAllocatedBytesForCurrentThread();
        Resampler.Resize(source, resampling, destination);
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    [Fact]
    public void Refuses_what_makes_no_sense()
    {
        RgbImage source = TestImages.Noise(8, 6, seed: 9);
        Resampling fine = new(4, 4, ResampleFilter.Box);
        foreach (
            Resampling wrong in new[]
            {
                fine with
                {
                    Width = 0,
                },
                fine with
                {
                    Height = -1,
                },
                fine with
                {
                    Crop = new PixelRectangle(1, 0, 8, 6),
                },
                fine with
                {
                    Crop = new PixelRectangle(0, 0, 0, 6),
                },
                fine with
                {
                    Crop = new PixelRectangle(int.MaxValue, 0, 2, 2),
                },
                fine with
                {
                    Box = new ResampleBox(0, 0, 8.5f, 6),
                },
                fine with
                {
                    Box = new ResampleBox(3, 3, 3, 4),
                },
                fine with
                {
                    Box = new ResampleBox(float.NaN, 0, 8, 6),
                },
                fine with
                {
                    Window = new PixelRectangle(2, 2, 3, 1),
                },
            }
        )
            Assert.Throws<ArgumentException>(() => Resampler.Resize(source, wrong, new byte[4 * 4 * 3]));
        Assert.Throws<ArgumentException>(() => Resampler.Resize(source, fine, new byte[(4 * 4 * 3) + 1]));
    }

    // Each axis alone against the oracle, and both together against one after the other, which must be the same bytes.
    private static void Compare(RgbImage source, Resampling resampling)
    {
        ResampleBox box = resampling.Box ?? new ResampleBox(0, 0, source.Width, source.Height);
        RgbImage wide = Resampler.Resize(
            source,
            resampling.Width,
            source.Height,
            resampling.Filter,
            box with
            {
                Top = 0,
                Bottom = source.Height,
            }
        );
        RgbImage both = Resampler.Resize(
            wide,
            wide.Width,
            resampling.Height,
            resampling.Filter,
            box with
            {
                Left = 0,
                Right = wide.Width,
            }
        );

        for (int y = 0; y < source.Height; y++)
        for (int channel = 0; channel < 3; channel++)
            CompareLine(
                Line(source, channel, 0, y, 1, 0),
                Line(wide, channel, 0, y, 1, 0),
                resampling.Filter,
                box.Left,
                box.Right
            );
        for (int x = 0; x < wide.Width; x++)
        for (int channel = 0; channel < 3; channel++)
            CompareLine(
                Line(wide, channel, x, 0, 0, 1),
                Line(both, channel, x, 0, 0, 1),
                resampling.Filter,
                box.Top,
                box.Bottom
            );
        Assert.Equal(both.Pixels, Resampler.Resize(source, resampling).Pixels);
    }

    private static void CompareLine(byte[] source, byte[] actual, ResampleFilter filter, float from, float to)
    {
        for (int i = 0; i < actual.Length; i++)
        {
            (double exact, int taps) =
                actual.Length == source.Length && from == 0 && to == source.Length
                    ? (source[i], 0) // an axis that keeps its size is copied
                    : ResizeOracle.Filter(filter, source, from, to, actual.Length, i);
            // Half a level of the final rounding, and for each tap up to 255 times the 2^-23 that its weight was rounded by.
            double tolerance = 0.5 + (taps * 255 * Math.ScaleB(1, -23)) + 1e-9;
            Assert.True(
                Math.Abs(actual[i] - exact) <= tolerance,
                $"{filter} {from} to {to}, {source.Length} to {actual.Length}: pixel {i} is "
                    + $"{actual[i]}, expected {exact}."
            );
        }
    }

    private static byte[] Line(RgbImage image, int channel, int x, int y, int stepX, int stepY)
    {
        byte[] line = new byte[stepX == 1 ? image.Width : image.Height];
        for (int i = 0; i < line.Length; i++, x += stepX, y += stepY)
            line[i] = image.Pixels[(((y * image.Width) + x) * 3) + channel];
        return line;
    }

    private static RgbImage Cut(RgbImage source, PixelRectangle part)
    {
        byte[] pixels = new byte[part.Width * part.Height * 3];
        for (int y = 0; y < part.Height; y++)
            source
                .Pixels.AsSpan((((part.Y + y) * source.Width) + part.X) * 3, part.Width * 3)
                .CopyTo(pixels.AsSpan(y * part.Width * 3));
        return new RgbImage(part.Width, part.Height, pixels);
    }
}
