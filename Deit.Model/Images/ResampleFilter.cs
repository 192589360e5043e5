namespace Deit.Model.Images;

/// <summary>The kernel of an antialiased resize, as Pillow names and defines them.</summary>
public enum ResampleFilter
{
    /// <summary>Mean of the pixels covered; support 0.5.</summary>
    Box,

    /// <summary>Triangle; support 1.</summary>
    Bilinear,

    /// <summary>Keys' cubic with a = -0.5; support 2.</summary>
    Bicubic,

    /// <summary>Sinc windowed by sinc; support 3.</summary>
    Lanczos,
}

internal static class ResampleFilters
{
    extension(ResampleFilter filter)
    {
        /// <summary>Half the width of the kernel, in pixels of the smaller of the two grids.</summary>
        public double Support =>
            filter switch
            {
                ResampleFilter.Box => 0.5,
                ResampleFilter.Bilinear => 1,
                ResampleFilter.Bicubic => 2,
                ResampleFilter.Lanczos => 3,
                _ => throw new ArgumentOutOfRangeException(nameof(filter), filter, "Unknown resampling filter."),
            };

        /// <summary>The kernel at a distance, before normalisation.</summary>
        /// <param name="x">Signed distance; the box is open at one end only, so the sign matters.</param>
        public double Weight(double x) =>
            filter switch
            {
                ResampleFilter.Box => x is > -0.5 and <= 0.5 ? 1 : 0,
                ResampleFilter.Bilinear => Math.Max(0, 1 - Math.Abs(x)),
                ResampleFilter.Bicubic => Cubic(Math.Abs(x)),
                _ => x is >= -3 and < 3 ? Sinc(x) * Sinc(x / 3) : 0,
            };
    }

    private static double Cubic(double x)
    {
        const double A = -0.5;
        return x < 1 ? ((((A + 2) * x) - (A + 3)) * x * x) + 1
            : x < 2 ? ((((x - 5) * x) + 8) * x - 4) * A
            : 0;
    }

    private static double Sinc(double x)
    {
        double angle = x * Math.PI;
        return angle == 0 ? 1 : Math.Sin(angle) / angle;
    }
}
