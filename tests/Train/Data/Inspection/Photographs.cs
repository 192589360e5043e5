using Deit.Model.Images;

namespace Deit.Tests.Train.Data.Inspection;

/// <summary>Pictures with the spectrum of photographs: large waves are strong, small ones weak, and some edges.</summary>
internal static class Photographs
{
    /// <summary>A picture that its number alone decides.</summary>
    public static RgbImage Of(int seed, int width = 96, int height = 128)
    {
        Random random = new(seed);
        (double X, double Y, double Phase, double Strength, int Channel)[] waves =
        [
            .. Enumerable
                .Range(0, 60)
                .Select(_ =>
                {
                    double frequency = Math.Exp(random.NextDouble() * 3.2),
                        angle = random.NextDouble() * Math.PI;
                    return (
                        frequency * Math.Cos(angle),
                        frequency * Math.Sin(angle),
                        random.NextDouble() * 7,
                        70 / frequency,
                        random.Next(6)
                    );
                }),
        ];
        (double Left, double Top, double Right, double Bottom, int Level)[] shapes =
        [
            .. Enumerable
                .Range(0, 4)
                .Select(_ => (random.NextDouble() * 0.7, random.NextDouble() * 0.7, 0.0, 0.0, random.Next(-60, 60)))
                .Select(s => (s.Item1, s.Item2, s.Item1 + 0.1 + (random.NextDouble() * 0.2), s.Item2 + 0.2, s.Item5)),
        ];
        byte[] pixels = new byte[width * height * 3];
        for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++)
        {
            (double u, double v) = ((x + 0.5) / width, (y + 0.5) / height);
            Span<double> levels = [120, 125, 130];
            foreach ((double fx, double fy, double phase, double strength, int channel) in waves)
            {
                double wave = strength * Math.Cos((Math.PI * ((fx * u) + (fy * v))) + phase);
                for (int c = 0; c < 3; c++)
                    if (channel > 2 || channel == c)
                        levels[c] += wave;
            }
            foreach ((double left, double top, double right, double bottom, int level) in shapes)
                if (u > left && u < right && v > top && v < bottom)
                    for (int c = 0; c < 3; c++)
                        levels[c] += level;
            for (int c = 0; c < 3; c++)
                pixels[(((y * width) + x) * 3) + c] = (byte)Math.Clamp(levels[c], 0, 255);
        }
        return new RgbImage(width, height, pixels);
    }

    /// <summary>The same picture mirrored left to right.</summary>
    public static RgbImage Mirrored(RgbImage image)
    {
        byte[] pixels = new byte[image.Pixels.Length];
        for (int y = 0; y < image.Height; y++)
        for (int x = 0; x < image.Width; x++)
            image
                .Pixels.AsSpan(((y * image.Width) + x) * 3, 3)
                .CopyTo(pixels.AsSpan(((y * image.Width) + image.Width - 1 - x) * 3));
        return new RgbImage(image.Width, image.Height, pixels);
    }

    /// <summary>A part of a picture.</summary>
    public static RgbImage Part(RgbImage image, int left, int top, int width, int height)
    {
        byte[] pixels = new byte[width * height * 3];
        for (int y = 0; y < height; y++)
            image.Pixels.AsSpan((((top + y) * image.Width) + left) * 3, width * 3).CopyTo(pixels.AsSpan(y * width * 3));
        return new RgbImage(width, height, pixels);
    }

    /// <summary>A picture of one colour.</summary>
    public static RgbImage Flat(int width, int height, byte red, byte green, byte blue)
    {
        byte[] pixels = new byte[width * height * 3];
        for (int i = 0; i < pixels.Length; i += 3)
            (pixels[i], pixels[i + 1], pixels[i + 2]) = (red, green, blue);
        return new RgbImage(width, height, pixels);
    }
}
