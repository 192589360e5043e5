using System.Runtime.InteropServices;
using Deit.Model.Images;

namespace Deit.Train.Data.Augmentation;

/// <content>
/// <c>Image.transform</c> with AFFINE and BICUBIC: the target's pixel at (x, y) shows the source at (a x + b y + c, d x
/// + e y + f). It is read with the cubic of a = -1 (unlike the resize's a = -1/2) in double precision and truncated.
/// Places outside the source are filled.
/// </content>
internal static partial class PillowOps
{
    /// <summary>Turns round the centre, counter-clockwise.</summary>
    /// <param name="image">The picture.</param>
    /// <param name="scratch">Another of its size.</param>
    /// <param name="degrees">The angle, between -90 and 90.</param>
    /// <param name="fill">The colour outside the picture.</param>
    public static void Rotate(RgbImage image, RgbImage scratch, double degrees, Pixel fill)
    {
        if (degrees == 0)
            return;
        double angle = -(degrees < 0 ? degrees + 360 : degrees) * (Math.PI / 180);
        double cos = Math.Round(Math.Cos(angle), 15),
            sin = Math.Round(Math.Sin(angle), 15),
            x = image.Width / 2.0,
            y = image.Height / 2.0;
        Transform(
            image,
            scratch,
            new Affine(cos, sin, (cos * -x) + (sin * -y) + x, -sin, cos, (-sin * -x) + (cos * -y) + y),
            fill
        );
    }

    /// <summary>Slants columns.</summary>
    /// <param name="image">The picture.</param>
    /// <param name="scratch">Another of its size.</param>
    /// <param name="factor">Pixels to the left for each pixel down.</param>
    /// <param name="fill">The colour outside the picture.</param>
    public static void ShearX(RgbImage image, RgbImage scratch, double factor, Pixel fill) =>
        Transform(image, scratch, new Affine(1, factor, 0, 0, 1, 0), fill);

    /// <summary>Slants rows.</summary>
    /// <param name="image">The picture.</param>
    /// <param name="scratch">Another of its size.</param>
    /// <param name="factor">Pixels up for each pixel to the right.</param>
    /// <param name="fill">The colour outside the picture.</param>
    public static void ShearY(RgbImage image, RgbImage scratch, double factor, Pixel fill) =>
        Transform(image, scratch, new Affine(1, 0, 0, factor, 1, 0), fill);

    /// <summary>Moves to the left.</summary>
    /// <param name="image">The picture.</param>
    /// <param name="scratch">Another of its size.</param>
    /// <param name="share">The distance over the width of the picture.</param>
    /// <param name="fill">The colour outside the picture.</param>
    public static void TranslateX(RgbImage image, RgbImage scratch, double share, Pixel fill) =>
        Transform(image, scratch, new Affine(1, 0, share * image.Width, 0, 1, 0), fill);

    /// <summary>Moves up.</summary>
    /// <param name="image">The picture.</param>
    /// <param name="scratch">Another of its size.</param>
    /// <param name="share">The distance over the height of the picture.</param>
    /// <param name="fill">The colour outside the picture.</param>
    public static void TranslateY(RgbImage image, RgbImage scratch, double share, Pixel fill) =>
        Transform(image, scratch, new Affine(1, 0, 0, 0, 1, share * image.Height), fill);

    private static void Transform(RgbImage image, RgbImage scratch, Affine map, Pixel fill)
    {
        image.Pixels.CopyTo(scratch.Pixels, 0);
        CubicSampler source = new(scratch);
        Span<Pixel> target = MemoryMarshal.Cast<byte, Pixel>(image.Pixels.AsSpan());
        for (int row = 0; row < image.Height; row++)
        for (int column = 0; column < image.Width; column++)
        {
            double x = column + 0.5,
                y = row + 0.5;
            (x, y) = ((map.A * x) + (map.B * y) + map.C, (map.D * x) + (map.E * y) + map.F);
            bool inside = x >= 0 && x < image.Width && y >= 0 && y < image.Height;
            target[(row * image.Width) + column] = inside ? source.At(x - 0.5, y - 0.5) : fill;
        }
    }

    private readonly record struct Affine(double A, double B, double C, double D, double E, double F);
}
