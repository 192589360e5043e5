using System.Collections.Immutable;
using Deit.Model.Images;

namespace Deit.Cli.Demo;

/// <summary>Draws one picture of the demo data set.</summary>
internal static class DemoPicture
{
    // Samples along each side of a pixel: nine a pixel soften edges enough.
    private const int Samples = 3;

    // Names in ordinal order, so that the index here is the label that a folder reader gives. The functions tell whether a point belongs to
    // the figure, in the figure's own coordinates, in which its radius is 1.
    private static readonly (string Name, Func<double, double, bool> Covers)[] Figures =
    [
        ("checkerboard", (x, y) => Disc(x, y) && Odd(x, 0.4) != Odd(y, 0.4)),
        ("circle", Disc),
        ("cross", (x, y) => Math.Max(Math.Abs(x), Math.Abs(y)) < 0.95 && Math.Min(Math.Abs(x), Math.Abs(y)) < 0.27),
        (
            "dots",
            (x, y) =>
                Disc(x - Nearest(x, 0.55), y - Nearest(y, 0.55))
                && Square(Nearest(x, 0.55)) + Square(Nearest(y, 0.55)) < Square(0.18)
        ),
        ("ring", (x, y) => Disc(x, y) && Square(x) + Square(y) > Square(0.6)),
        ("square", (x, y) => Math.Max(Math.Abs(x), Math.Abs(y)) < 0.8),
        ("stripes", (x, y) => Disc(x, y) && Odd(x, 0.25)),
        // Equilateral, its corners on the unit circle: three half-planes at distance 1/2 from the centre.
        (
            "triangle",
            (x, y) =>
                y < 0.5 && (0.5 * Math.Sqrt(3) * x) - (0.5 * y) < 0.5 && (-0.5 * Math.Sqrt(3) * x) - (0.5 * y) < 0.5
        ),
    ];

    public static ImmutableArray<string> Classes { get; } = [.. Figures.Select(figure => figure.Name)];

    public static RgbImage Draw(int label, int size, ref SplitMix64 random)
    {
        // The figure lies wholly inside the picture: radius plus distance of the centre from the middle stay below one half.
        double radius = size * random.Uniform(0.26, 0.42);
        double slack = (size / 2.0) - radius;
        double centreX = (size / 2.0) + random.Uniform(-slack, slack);
        double centreY = (size / 2.0) + random.Uniform(-slack, slack);
        (double cosine, double sine) = Direction(ref random);
        // Bright figures on dark grounds of any hue: form alone tells the class, and a few hundred pictures suffice to learn it.
        (double R, double G, double B) back = Colour(15, 110, ref random),
            front = Colour(140, 240, ref random);
        while (Distance(back, front) < 110)
            front = Colour(140, 240, ref random);
        // The background brightens along one direction.
        double slopeX = random.Uniform(-25, 25) / size,
            slopeY = random.Uniform(-25, 25) / size;
        double noise = random.Uniform(3, 12);

        Func<double, double, bool> covers = Figures[label].Covers;
        byte[] pixels = new byte[size * size * 3];
        for (int y = 0, i = 0; y < size; y++)
        {
            for (int x = 0; x < size; x++, i += 3)
            {
                double share = Coverage(x, y);
                double light = (slopeX * (x - (size / 2.0))) + (slopeY * (y - (size / 2.0)));
                pixels[i] = Channel(back.R + light, front.R, share, ref random);
                pixels[i + 1] = Channel(back.G + light, front.G, share, ref random);
                pixels[i + 2] = Channel(back.B + light, front.B, share, ref random);
            }
        }
        return new(size, size, pixels);

        double Coverage(int x, int y)
        {
            int inside = 0;
            for (int sample = 0; sample < Samples * Samples; sample++)
            {
                double dx = (x + (((sample % Samples) + 0.5) / Samples) - centreX) / radius;
                double dy = (y + (((sample / Samples) + 0.5) / Samples) - centreY) / radius;
                inside += covers((cosine * dx) + (sine * dy), (cosine * dy) - (sine * dx)) ? 1 : 0;
            }
            return inside / (double)(Samples * Samples);
        }

        byte Channel(double behind, double before, double share, ref SplitMix64 random) =>
            (byte)Math.Round(Math.Clamp(behind + (share * (before - behind)) + (noise * Normal(ref random)), 0, 255));
    }

    // The sum of three uniform numbers of variance 1/3 is close to a normal one. Unlike a logarithm, it is exact on every machine.
    private static double Normal(ref SplitMix64 random) =>
        random.Uniform(-1, 1) + random.Uniform(-1, 1) + random.Uniform(-1, 1);

    // A random point of the unit disc, within 30 degrees of upright, moved to its edge. Square roots are exact on every machine, sines are
    // not.
    private static (double X, double Y) Direction(ref SplitMix64 random)
    {
        while (true)
        {
            (double x, double y) = (random.Uniform(-1, 1), random.Uniform(-1, 1));
            double length = Math.Sqrt(Square(x) + Square(y));
            if (length is > 0.01 and < 1 && x > 0.866 * length)
                return (x / length, y / length);
        }
    }

    private static (double R, double G, double B) Colour(double darkest, double brightest, ref SplitMix64 random) =>
        (random.Uniform(darkest, brightest), random.Uniform(darkest, brightest), random.Uniform(darkest, brightest));

    private static double Distance((double R, double G, double B) a, (double R, double G, double B) b) =>
        Math.Sqrt(Square(a.R - b.R) + Square(a.G - b.G) + Square(a.B - b.B));

    private static double Square(double value) => value * value;

    private static bool Disc(double x, double y) => Square(x) + Square(y) < 1;

    // Whether the cell of this period along one axis has an odd number.
    private static bool Odd(double value, double period) => ((int)Math.Floor(value / period) & 1) != 0;

    // The signed distance to the nearest multiple of the period.
    private static double Nearest(double value, double period) => value - (period * Math.Round(value / period));
}
