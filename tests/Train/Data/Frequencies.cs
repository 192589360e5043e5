namespace Deit.Tests.Train.Data;

/// <summary>
/// Whether counts come from a distribution. A right sampler fails the bounds one time in a million. The seeds are
/// fixed, so that a test passes always or never.
/// </summary>
internal static class Frequencies
{
    // Phi(-z) = 1e-6 for one side, and for either side together.
    private const double OneSided = 4.7534,
        TwoSided = 4.8916;

    /// <summary>Pearson's test: asserts that counts follow probabilities.</summary>
    /// <param name="counts">How often each case came.</param>
    /// <param name="weights">The cases' probabilities, up to a factor; a case of 0 may not come.</param>
    public static void AssertCounts(IReadOnlyList<int> counts, IReadOnlyList<double> weights)
    {
        double all = counts.Sum(),
            total = weights.Sum(),
            statistic = 0;
        for (int i = 0; i < counts.Count; i++)
        {
            double expected = all * weights[i] / total;
            if (expected == 0)
                Assert.Equal(0, counts[i]);
            else
            {
                Assert.True(expected >= 5, "Too few are expected for the statistic to be chi-squared.");
                statistic += (counts[i] - expected) * (counts[i] - expected) / expected;
            }
        }
        AssertChiSquared(statistic, weights.Count(weight => weight > 0) - 1);
    }

    /// <summary>Asserts that a statistic may be chi-squared.</summary>
    public static void AssertChiSquared(double statistic, double freedom)
    {
        // Wilson and Hilferty 1931: the cube root of chi-squared / k is nearly normal with mean 1 - 2 / (9 k) and variance 2 / (9 k).
        double variance = 2 / (9 * freedom),
            root = 1 - variance + (OneSided * Math.Sqrt(variance));
        Assert.InRange(statistic, 0, freedom * root * root * root);
    }

    /// <summary>Asserts that something came as often as its chance says, by the normal limit of the binomial distribution.</summary>
    /// <param name="chance">The chance of one try.</param>
    /// <param name="count">How often it came.</param>
    /// <param name="tries">Of how many.</param>
    public static void AssertShare(double chance, int count, int tries) =>
        Assert.Equal(chance * tries, count, TwoSided * Math.Sqrt(tries * chance * (1 - chance)));

    /// <summary>
    /// Asserts that pairs of numbers are not correlated: the coefficient of independent pairs has a deviation of 1 / sqrt(n).
    /// </summary>
    public static void AssertUncorrelated(IReadOnlyList<(double X, double Y)> pairs)
    {
        double meanX = pairs.Average(pair => pair.X),
            meanY = pairs.Average(pair => pair.Y);
        double covariance = pairs.Average(pair => (pair.X - meanX) * (pair.Y - meanY));
        double deviations = Math.Sqrt(
            pairs.Average(pair => (pair.X - meanX) * (pair.X - meanX))
                * pairs.Average(pair => (pair.Y - meanY) * (pair.Y - meanY))
        );
        Assert.Equal(0, covariance / deviations, TwoSided / Math.Sqrt(pairs.Count));
    }
}
