namespace Deit.Tests.Gpu;

/// <summary>The normal distribution in double precision, by formulas that the shaders do not use.</summary>
internal static class NormalDistribution
{
    /// <summary>Phi(x), of full relative precision also where it is tiny.</summary>
    public static double Cumulative(double x) =>
        x < -3 ? UpperTail(-x)
        : x > 3 ? 1 - UpperTail(x)
        : 0.5 + Centre(x);

    /// <summary>phi(x).</summary>
    public static double Density(double x) => Math.Exp(-0.5 * x * x) / Math.Sqrt(2 * Math.PI);

    // Abramowitz and Stegun 26.2.11: phi(x) * (x + x^3 / 3 + x^5 / (3 * 5) + ...), all terms of one sign.
    private static double Centre(double x)
    {
        double term = x,
            sum = x;
        for (int n = 1; Math.Abs(term) > 1e-18 * Math.Abs(sum); n++)
            sum += term *= x * x / ((2 * n) + 1);
        return sum * Density(x);
    }

    // Abramowitz and Stegun 26.2.14: phi(x) / (x + 1 / (x + 2 / (x + 3 / ...))), from the far end.
    private static double UpperTail(double x)
    {
        double fraction = x;
        for (int n = 300; n >= 1; n--)
            fraction = x + (n / fraction);
        return Density(x) / fraction;
    }
}
