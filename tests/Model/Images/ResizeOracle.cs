using Deit.Model.Images;

namespace Deit.Tests.Model.Images;

/// <summary>A resize of a line by the book in double precision: without vectors, tables of weights or fixed point.</summary>
internal static class ResizeOracle
{
    /// <summary>
    /// The convolution of the line with the kernel at the centre of an output pixel, unrounded, and how many pixels
    /// took part.
    /// </summary>
    public static (double Value, int Taps) Filter(
        ResampleFilter filter,
        ReadOnlySpan<byte> line,
        float from,
        float to,
        int outputs,
        int output
    )
    {
        double scale = (to - from) / (double)outputs,
            stretch = Math.Max(1, scale),
            center = from + ((output + 0.5) * scale);
        double reach =
            stretch
            * filter switch
            {
                ResampleFilter.Box => 0.5,
                ResampleFilter.Bilinear => 1,
                ResampleFilter.Bicubic => 2,
                _ => 3,
            };
        double sum = 0,
            total = 0;
        int taps = 0;
        for (int i = 0; i < line.Length; i++)
        {
            // A pixel belongs to the support if its centre does. The ends are Pillow's: rounded to whole pixels, the upper one excluded.
            if (i < (int)(center - reach + 0.5) || i >= (int)(center + reach + 0.5))
                continue;
            double weight = Kernel(filter, (i + 0.5 - center) / stretch);
            total += weight;
            sum += weight * line[i];
            taps++;
        }
        return (Math.Clamp(sum / total, 0, 255), taps);
    }

    private static double Kernel(ResampleFilter filter, double x)
    {
        double a = Math.Abs(x);
        return filter switch
        {
            ResampleFilter.Box => x is > -0.5 and <= 0.5 ? 1 : 0,
            ResampleFilter.Bilinear => a < 1 ? 1 - a : 0,
            ResampleFilter.Bicubic when a < 1 => (1.5 * a * a * a) - (2.5 * a * a) + 1,
            ResampleFilter.Bicubic => a < 2 ? (-0.5 * a * a * a) + (2.5 * a * a) - (4 * a) + 2 : 0,
            _ => a == 0 ? 1
            : a < 3 ? 3 * Math.Sin(Math.PI * a) * Math.Sin(Math.PI * a / 3) / (Math.PI * Math.PI * a * a)
            : 0,
        };
    }
}
