namespace Deit.Tests.Train.Data;

/// <summary>Whether a sample comes from a distribution, by the largest distance of the cumulative distributions.</summary>
internal static class KolmogorovSmirnov
{
    // One in ten thousand samples of the distribution itself is farther away: sqrt(-ln(p / 2) / 2). The seeds are
    // fixed, so that a test passes always or never.
    private const double Critical = 2.225;

    /// <summary>Asserts that values are uniform in [0, 1].</summary>
    /// <param name="values">The values.</param>
    /// <param name="grain">The most that rounding may have moved each value.</param>
    public static void AssertUniform(double[] values, double grain)
    {
        double[] sorted = [.. values.Order()];
        double distance = sorted
            .Select(
                (value, i) =>
                    Math.Max(
                        Math.Abs(value - ((double)i / sorted.Length)),
                        Math.Abs(value - ((i + 1.0) / sorted.Length))
                    )
            )
            .Max();
        Assert.InRange(distance, 0, (Critical / Math.Sqrt(sorted.Length)) + grain);
    }

    /// <summary>Asserts that two samples come from one distribution.</summary>
    public static void AssertSame(double[] first, double[] second)
    {
        double[] a = [.. first.Order()],
            b = [.. second.Order()];
        double distance = 0;
        foreach (double value in a.Concat(b))
            distance = Math.Max(
                distance,
                Math.Abs(((double)AtMost(a, value) / a.Length) - ((double)AtMost(b, value) / b.Length))
            );
        Assert.InRange(distance, 0, Critical * Math.Sqrt((1.0 / a.Length) + (1.0 / b.Length)));
    }

    private static int AtMost(double[] sorted, double value)
    {
        int low = 0,
            high = sorted.Length;
        while (low < high)
        {
            int middle = (low + high) / 2;
            if (sorted[middle] <= value)
                low = middle + 1;
            else
                high = middle;
        }
        return low;
    }
}
