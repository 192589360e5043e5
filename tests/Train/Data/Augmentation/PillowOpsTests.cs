using Deit.Model.Images;
using Deit.Tests.Train.Data.Loading;
using Deit.Train.Data.Augmentation;

namespace Deit.Tests.Train.Data.Augmentation;

/// <summary>The golden pictures have one size; here every size is held to Pillow's definitions, written pixel by pixel.</summary>
public sealed class PillowOpsTests
{
    private static readonly Pixel Fill = new(124, 116, 104);

    public static TheoryData<int, int> Sizes =>
        new()
        {
            { 1, 1 },
            { 2, 5 },
            { 5, 2 },
            { 3, 3 },
            { 7, 37 },
            { 37, 7 },
            { 113, 11 },
        };

    [Theory]
    [MemberData(nameof(Sizes))]
    public void Smoothing_leaves_the_outermost_pixels(int width, int height)
    {
        RgbImage source = GeneratedDataset.Picture(width, height, 1),
            image = GeneratedDataset.Picture(width, height, 1);
        PillowOps.Sharpness(image, Scratch(image), 0);
        ForEach(
            image,
            (x, y, channel) =>
            {
                if (x == 0 || y == 0 || x == width - 1 || y == height - 1)
                    return At(source, x, y, channel);
                double sum = 4 * At(source, x, y, channel);
                for (int i = 0; i < 9; i++)
                    sum += At(source, x + (i % 3) - 1, y + (i / 3) - 1, channel);
                return (byte)Math.Floor((sum / 13) + 0.5);
            }
        );
    }

    [Theory]
    [InlineData(0.19)]
    [InlineData(1)]
    [InlineData(1.81)]
    public void Colours_are_blended_with_grey(double factor)
    {
        RgbImage source = GeneratedDataset.Picture(37, 7, 1),
            image = GeneratedDataset.Picture(37, 7, 1);
        PillowOps.Color(image, Scratch(image), factor);
        ForEach(
            image,
            (x, y, channel) =>
            {
                int grey =
                    (
                        (At(source, x, y, 0) * 19595)
                        + (At(source, x, y, 1) * 38470)
                        + (At(source, x, y, 2) * 7471)
                        + 32768
                    ) / 65536;
                float product = (float)factor * (At(source, x, y, channel) - grey),
                    sum = grey + product;
                return sum <= 0 ? (byte)0
                    : sum >= 255 ? (byte)255
                    : (byte)sum;
            }
        );
    }

    [Theory]
    [MemberData(nameof(Sizes))]
    public void Transforms_follow_the_definition(int width, int height)
    {
        const double Share = 0.27;
        Compare(RandAugmentOperation.ShearX, Share, [1, Share, 0, 0, 1, 0]);
        Compare(RandAugmentOperation.ShearY, -Share, [1, 0, 0, -Share, 1, 0]);
        Compare(RandAugmentOperation.TranslateX, Share, [1, 0, Share * width, 0, 1, 0]);
        Compare(RandAugmentOperation.TranslateY, -Share, [1, 0, 0, 0, 1, -Share * height]);

        void Compare(RandAugmentOperation operation, double argument, double[] map)
        {
            RgbImage source = GeneratedDataset.Picture(width, height, 1),
                image = GeneratedDataset.Picture(width, height, 1);
            operation.Apply(argument, image, Scratch(image), Fill);
            ForEach(image, (x, y, channel) => Oracle(source, map, x, y, channel));
        }
    }

    [Theory]
    [InlineData(8)] // the centre lies between pixels
    [InlineData(37)] // and on one
    public void A_quarter_turn_moves_pixels(int side)
    {
        RgbImage source = GeneratedDataset.Picture(side, side, 1),
            image = GeneratedDataset.Picture(side, side, 1);
        PillowOps.Rotate(image, Scratch(image), 90, Fill);
        // counter-clockwise; no pixel is read between others, so exactly
        ForEach(image, (x, y, channel) => At(source, side - 1 - y, x, channel));
    }

    [Theory]
    [InlineData(nameof(RandAugmentOperation.AutoContrast))]
    [InlineData(nameof(RandAugmentOperation.Equalize))]
    public void A_picture_of_one_colour_stays(string operation)
    {
        RgbImage image = new(5, 7, [.. Enumerable.Repeat(new byte[] { 10, 200, 0 }, 35).SelectMany(pixel => pixel)]);
        byte[] before = [.. image.Pixels];
        Enum.Parse<RandAugmentOperation>(operation).Apply(0, image, Scratch(image), Fill);
        Assert.Equal(before, image.Pixels);
    }

    [Fact]
    public void What_a_table_does_is_known()
    {
        byte[] pixels = [0, 1, 127, 128, 200, 255];
        Assert.Equal([255, 254, 128, 127, 55, 0], Applied(RandAugmentOperation.Invert, 0));
        Assert.Equal([0, 1, 127, 128, 200, 255], Applied(RandAugmentOperation.Posterize, 8));
        Assert.Equal([0, 0, 0, 128, 128, 128], Applied(RandAugmentOperation.Posterize, 1));
        Assert.Equal([0, 0, 0, 0, 0, 0], Applied(RandAugmentOperation.Posterize, 0));
        Assert.Equal([0, 1, 127, 127, 55, 0], Applied(RandAugmentOperation.Solarize, 128));
        Assert.Equal([0, 1, 127, 128, 200, 255], Applied(RandAugmentOperation.Solarize, 256));
        Assert.Equal([110, 111, 237, 128, 200, 255], Applied(RandAugmentOperation.SolarizeAdd, 110));

        byte[] Applied(RandAugmentOperation operation, double argument)
        {
            RgbImage image = new(2, 1, [.. pixels]);
            operation.Apply(argument, image, Scratch(image), Fill);
            return image.Pixels;
        }
    }

    // Geometry.c's bicubic filter, as it is written: a row below the picture repeats the one before it.
    private static byte Oracle(RgbImage source, double[] map, int column, int row, int channel)
    {
        double x = (map[0] * (column + 0.5)) + (map[1] * (row + 0.5)) + map[2],
            y = (map[3] * (column + 0.5)) + (map[4] * (row + 0.5)) + map[5];
        if (x < 0 || x >= source.Width || y < 0 || y >= source.Height)
            return channel switch
            {
                0 => Fill.Red,
                1 => Fill.Green,
                _ => Fill.Blue,
            };
        int left = (int)Math.Floor(x - 0.5),
            top = (int)Math.Floor(y - 0.5);
        double dx = x - 0.5 - left,
            dy = y - 0.5 - top;
        double[] values = new double[4];
        for (int i = 0; i < 4; i++)
            values[i] =
                i > 0 && (top - 1 + i < 0 || top - 1 + i >= source.Height)
                    ? values[i - 1]
                    : Along(Math.Clamp(top - 1 + i, 0, source.Height - 1));
        return (byte)Math.Clamp(Cubic(values, dy), 0, 255);

        double Along(int y) =>
            Cubic(
                [
                    .. Enumerable
                        .Range(-1, 4)
                        .Select(i => (double)At(source, Math.Clamp(left + i, 0, source.Width - 1), y, channel)),
                ],
                dx
            );

        static double Cubic(double[] v, double d) =>
            v[1]
            + (d * (-v[0] + v[2] + (d * ((2 * (v[0] - v[1])) + v[2] - v[3] + (d * (-v[0] + v[1] - v[2] + v[3]))))));
    }

    private static void ForEach(RgbImage actual, Func<int, int, int, byte> expected)
    {
        for (int i = 0; i < actual.Pixels.Length; i++)
        {
            (int x, int y, int channel) = (i / 3 % actual.Width, i / 3 / actual.Width, i % 3);
            byte value = expected(x, y, channel);
            Assert.True(
                value == actual.Pixels[i],
                $"Pixel ({x}, {y}), channel {channel}: {actual.Pixels[i]} instead of {value}."
            );
        }
    }

    private static byte At(RgbImage image, int x, int y, int channel) =>
        image.Pixels[(((y * image.Width) + x) * 3) + channel];

    private static RgbImage Scratch(RgbImage image) => GeneratedDataset.Picture(image.Width, image.Height, 99);
}
