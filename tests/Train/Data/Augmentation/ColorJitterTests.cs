using Deit.Gpu;
using Deit.Model.Images;
using Deit.Tests.Train.Data.Loading;
using Deit.Train.Data.Augmentation;
using Deit.Train.Data.Randomness;

namespace Deit.Tests.Train.Data.Augmentation;

public sealed class ColorJitterTests
{
    [Theory]
    [InlineData(0.3, 0.7, 1.3)]
    [InlineData(1.5, 0, 2.5)] // never below 0
    public void Factors_are_uniform(double strength, double low, double high)
    {
        ColorJitter jitter = new(strength);
        RandomStream random = new(1, 0, RandomSite.ColorJitter, 0);
        double[] factors = new double[20_000];
        foreach (ref double factor in factors.AsSpan())
            factor = (jitter.Factor(ref random) - low) / (high - low);
        KolmogorovSmirnov.AssertUniform(factors, 0);
    }

    [Fact]
    public void No_strength_changes_nothing()
    {
        RgbImage image = GeneratedDataset.Picture(37, 11, 1),
            scratch = GeneratedDataset.Picture(37, 11, 2);
        RandomStream random = new(1, 0, RandomSite.ColorJitter, 0);
        new ColorJitter(0).Apply(image, scratch, ref random);
        Assert.Equal(GeneratedDataset.Picture(37, 11, 1).Pixels, image.Pixels);
    }

    [Fact]
    public void Grey_stays_grey_and_every_picture_changes_in_its_own_way()
    {
        HashSet<string> results = [];
        for (uint i = 0; i < 20; i++)
        {
            RgbImage image = new(16, 16, [.. Enumerable.Range(0, 768).Select(value => (byte)(value / 3))]),
                scratch = GeneratedDataset.Picture(16, 16, 2);
            RandomStream random = new(1, 0, RandomSite.ColorJitter, i);
            new ColorJitter(0.4).Apply(image, scratch, ref random);
            for (int pixel = 0; pixel < 768; pixel += 3)
                Assert.True(
                    image.Pixels[pixel] == image.Pixels[pixel + 1] && image.Pixels[pixel] == image.Pixels[pixel + 2]
                );
            results.Add(Convert.ToHexString(image.Pixels));
        }
        Assert.Equal(20, results.Count);
    }

    [Fact]
    public void Every_order_is_as_likely()
    {
        const int Pictures = 1200;
        string[] orders = ["BCS", "BSC", "CBS", "CSB", "SBC", "SCB"];
        Dictionary<string, double> counts = [];
        ColorJitter jitter = new(0.4);
        for (uint i = 0; i < Pictures; i++)
        {
            RgbImage image = GeneratedDataset.Picture(16, 16, 1),
                scratch = GeneratedDataset.Picture(16, 16, 2);
            RandomStream random = new(1, 0, RandomSite.ColorJitter, i),
                again = random;
            jitter.Apply(image, scratch, ref random);
            again.Shuffle<int>([0, 1, 2]); // the order is drawn first, then a factor for each
            double[] factors = [jitter.Factor(ref again), jitter.Factor(ref again), jitter.Factor(ref again)];
            string[] found = [.. orders.Where(order => Jittered(order, factors).AsSpan().SequenceEqual(image.Pixels))];
            Assert.NotEmpty(found);
            foreach (string order in found) // more than one where a factor is close to 1
                counts[order] = counts.GetValueOrDefault(order) + (1.0 / found.Length);
        }
        double expected = (double)Pictures / orders.Length;
        double statistic = orders.Sum(order => Math.Pow(counts.GetValueOrDefault(order) - expected, 2) / expected);
        Assert.InRange(statistic, 0, 5 + (5 * Math.Sqrt(2 * 5))); // chi-squared of five degrees of freedom, five deviations
    }

    private static byte[] Jittered(string order, double[] factors)
    {
        RgbImage image = GeneratedDataset.Picture(16, 16, 1),
            scratch = GeneratedDataset.Picture(16, 16, 2);
        for (int i = 0; i < 3; i++)
            if (order[i] == 'B')
                PillowOps.Brightness(image, factors[i]);
            else if (order[i] == 'C')
                PillowOps.Contrast(image, factors[i]);
            else
                PillowOps.Color(image, scratch, factors[i]);
        return image.Pixels;
    }
}
