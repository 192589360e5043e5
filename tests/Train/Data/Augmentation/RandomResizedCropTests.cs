using Deit.Gpu;
using Deit.Model.Images;
using Deit.Train.Data.Augmentation;
using Deit.Train.Data.Randomness;

namespace Deit.Tests.Train.Data.Augmentation;

public sealed class RandomResizedCropTests
{
    private const int Draws = 20_000;

    // With areas up to 3/4 and shapes up to 4/3 every try fits a square: nothing is rejected and each draw shows its own distribution.
    [Fact]
    public void Area_shape_and_place_are_uniform_where_every_try_fits()
    {
        const int Side = 4000; // rounding to whole pixels is then below a thousandth of any range
        RandomResizedCrop crop = new((0.08, 0.75), (3.0 / 4, 4.0 / 3), ResampleFilter.Bicubic);
        PixelRectangle[] parts = Draw(crop, Side, Side);
        KolmogorovSmirnov.AssertUniform(
            [.. parts.Select(part => (((double)part.Width * part.Height / Side / Side) - 0.08) / 0.67)],
            1e-3
        );
        KolmogorovSmirnov.AssertUniform(
            [.. parts.Select(part => (Math.Log((double)part.Width / part.Height) / (2 * Math.Log(4.0 / 3))) + 0.5)],
            1e-3
        );
        PixelRectangle[] loose = [.. parts.Where(part => part.Width < Side * 0.9 && part.Height < Side * 0.9)]; // at least 400 places
        KolmogorovSmirnov.AssertUniform([.. loose.Select(part => (part.X + 0.5) / (Side - part.Width + 1))], 2e-3);
        KolmogorovSmirnov.AssertUniform([.. loose.Select(part => (part.Y + 0.5) / (Side - part.Height + 1))], 2e-3);
    }

    [Theory]
    [InlineData(500, 375)]
    [InlineData(113, 197)]
    [InlineData(300, 100)]
    public void Rejected_tries_follow_the_definition(int width, int height)
    {
        RandomResizedCrop crop = new((0.08, 1), (3.0 / 4, 4.0 / 3), ResampleFilter.Bicubic);
        PixelRectangle[] parts = Draw(crop, width, height),
            expected = [.. Enumerable.Range(0, Draws).Select(new Oracle(width, height).Draw)];
        KolmogorovSmirnov.AssertSame(
            [.. parts.Select(part => (double)part.Width)],
            [.. expected.Select(part => (double)part.Width)]
        );
        KolmogorovSmirnov.AssertSame(
            [.. parts.Select(part => (double)part.Height)],
            [.. expected.Select(part => (double)part.Height)]
        );
        KolmogorovSmirnov.AssertSame(
            [.. parts.Select(part => (double)part.Width * part.Height)],
            [.. expected.Select(part => (double)part.Width * part.Height)]
        );
        Assert.All(parts, part => Assert.True(part.IsInside(width, height)));
    }

    // The centred part, by hand from torchvision's code.
    [Theory]
    [InlineData(1000, 10, 493, 0, 13, 10)] // too wide: 10 * 4/3 = 13.33
    [InlineData(10, 1000, 0, 493, 10, 13)] // too tall: 10 / (3/4) = 13.33
    [InlineData(1, 100, 0, 49, 1, 1)]
    [InlineData(100, 1, 49, 0, 1, 1)]
    public void What_no_try_fits_is_cropped_in_the_middle(int width, int height, int x, int y, int w, int h)
    {
        RandomResizedCrop crop = new((1, 1), (3.0 / 4, 4.0 / 3), ResampleFilter.Bicubic); // of the whole area and a mild shape: never fits
        RandomStream random = new(1, 2, 3, 4);
        Assert.Equal(new PixelRectangle(x, y, w, h), crop.Choose(width, height, ref random));
    }

    [Fact]
    public void A_single_pixel_is_a_picture()
    {
        RgbImage target = new(5, 5, new byte[75]);
        RandomStream random = new(1, 2, 3, 4);
        new RandomResizedCrop((0.08, 1), (3.0 / 4, 4.0 / 3), ResampleFilter.Bicubic).Apply(
            new RgbImage(1, 1, [10, 20, 30]),
            target,
            ref random
        );
        Assert.Equal(Enumerable.Repeat(new byte[] { 10, 20, 30 }, 25).SelectMany(pixel => pixel), target.Pixels);
    }

    private static PixelRectangle[] Draw(RandomResizedCrop crop, int width, int height) =>
        [
            .. Enumerable
                .Range(0, Draws)
                .Select(i =>
                {
                    RandomStream random = new(7, 0, RandomSite.RandomCrop, (ulong)i);
                    return crop.Choose(width, height, ref random);
                }),
        ];

    /// <summary>The definition again, with the platform's generator.</summary>
    private sealed class Oracle(int width, int height)
    {
        private readonly Random _random = new(1);

        public PixelRectangle Draw(int _)
        {
            for (int i = 0; i < 10; i++)
            {
                double area = width * height * (0.08 + (0.92 * _random.NextDouble())),
                    shape = 0.75 * Math.Pow(16.0 / 9, _random.NextDouble());
                (int w, int h) = ((int)Math.Round(Math.Sqrt(area * shape)), (int)Math.Round(Math.Sqrt(area / shape)));
                if (w <= width && h <= height)
                    return new PixelRectangle(0, 0, w, h);
            }
            return width > height * 4 / 3.0 ? new PixelRectangle(0, 0, (int)Math.Round(height * 4 / 3.0), height)
                : width < height * 0.75 ? new PixelRectangle(0, 0, width, (int)Math.Round(width / 0.75))
                : new PixelRectangle(0, 0, width, height);
        }
    }
}
