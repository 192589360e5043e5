using Deit.Train.Data.Inspection;

namespace Deit.Tests.Train.Data.Inspection;

public sealed class SpectrumTests
{
    private const int Side = 32;

    /// <summary>The oracle is the definition of the transform, one sum over all levels in double precision.</summary>
    [Theory]
    [InlineData(0, 0, 1)]
    [InlineData(0.1, 0.05, 0.8)]
    [InlineData(0.15, 0, 0.85)]
    public void A_bit_says_whether_a_frequency_is_above_the_median(double left, double top, double share)
    {
        float[] levels = Levels(1);
        double[,] window = Stretched(levels, left, top, share);
        double[] values = Values(window, first: 1, count: 16);
        PictureHash hash = Spectrum.Hash(levels, new Window(left, top, share));
        RequireBits(values, [hash.A, hash.B, hash.C, hash.D]);
        if (share == 1)
        {
            Assert.Equal(hash, Spectrum.Hash(levels));
            RequireBits(Values(window, first: 0, count: 8), [Spectrum.CoarseHash(levels)]);
        }
    }

    [Fact]
    public void A_grid_gives_each_window_its_own_bits()
    {
        float[] levels = Levels(2);
        WindowGrid grid = WindowGrid.Instance;
        Assert.Equal(9 + 25 + 49 + 81, grid.Windows.Count);
        Assert.All(grid.Windows, window => Assert.True(window.IsInside));
        ulong[] hashes = new ulong[grid.Windows.Count];
        Spectrum.CoarseHashes(levels, grid, hashes);
        for (int i = 0; i < hashes.Length; i += 7)
            RequireBits(
                Values(Stretched(levels, grid.Windows[i].Left, grid.Windows[i].Top, grid.Windows[i].Share), 0, 8),
                [hashes[i]]
            );
    }

    /// <summary>Each edge of a crop of 5 to 20 % lies at most 2.5 % of the picture off that of a window.</summary>
    [Fact]
    public void A_grid_leaves_no_gap()
    {
        Random random = new(3);
        for (int i = 0; i < 2000; i++)
        {
            double share = 0.8 + (0.15 * random.NextDouble());
            Assert.InRange(
                Off(share, (1 - share) * random.NextDouble(), (1 - share) * random.NextDouble()),
                0,
                0.02501
            );
        }
        // Between two shares of the grid in a corner, where the windows of both have one edge in common with the crop.
        Assert.Equal(0.025, Off(0.925, 0, 0), tolerance: 1e-9);
    }

    // The distance of the farthest edge from that of the window where it is least.
    private static double Off(double share, double left, double top) =>
        WindowGrid.Instance.Windows.Min(window =>
            (
                (double[])
                    [
                        window.Left - left,
                        window.Top - top,
                        window.Left + window.Share - left - share,
                        window.Top + window.Share - top - share,
                    ]
            ).Max(Math.Abs)
        );

    // Single precision may decide otherwise where a value is the median but for rounding.
    private static void RequireBits(double[] values, ulong[] words)
    {
        double[] sorted = [.. values.Order()];
        double median = (sorted[(values.Length / 2) - 1] + sorted[values.Length / 2]) / 2;
        double rounding = 1e-4 * values.Max(Math.Abs);
        for (int i = 0; i < values.Length; i++)
            if (Math.Abs(values[i] - median) > rounding)
                Assert.Equal(values[i] > median, (words[i / 64] >> (i % 64) & 1) == 1);
    }

    private static float[] Levels(int seed)
    {
        Random random = new(seed);
        return [.. Enumerable.Range(0, Side * Side).Select(_ => (float)random.Next(256))];
    }

    // Each of 32 x 32 places is the mean of the levels under it, found by sampling finely.
    private static double[,] Stretched(float[] levels, double left, double top, double share)
    {
        const int Samples = 40;
        double[,] window = new double[Side, Side];
        for (int y = 0; y < Side; y++)
        for (int x = 0; x < Side; x++)
        for (int i = 0; i < Samples * Samples; i++)
        {
            double u = left + (share * (x + ((i % Samples) + 0.5) / Samples) / Side),
                v = top + (share * (y + ((i / Samples) + 0.5) / Samples) / Side);
            window[y, x] += levels[((int)(v * Side) * Side) + (int)(u * Side)] / (Samples * Samples);
        }
        return window;
    }

    private static double[] Values(double[,] window, int first, int count) =>
        [
            .. Enumerable
                .Range(0, count * count)
                .Select(i =>
                {
                    double sum = 0;
                    for (int y = 0; y < Side; y++)
                    for (int x = 0; x < Side; x++)
                        sum +=
                            window[y, x]
                            * Math.Cos(Math.PI / Side * (y + 0.5) * ((i / count) + first))
                            * Math.Cos(Math.PI / Side * (x + 0.5) * ((i % count) + first));
                    return sum;
                }),
        ];
}
