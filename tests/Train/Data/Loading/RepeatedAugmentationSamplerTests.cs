using Deit.Train.Data.Loading;

namespace Deit.Tests.Train.Data.Loading;

public sealed class RepeatedAugmentationSamplerTests
{
    [Theory]
    [InlineData(256, 1)]
    [InlineData(257, 1)]
    [InlineData(1000, 2)]
    [InlineData(1000, 3)]
    [InlineData(2049, 8)]
    [InlineData(300, 7)]
    public void Each_process_gets_the_references_schedule(int count, int worldSize)
    {
        RepeatedAugmentationSampler sampler = new(count, seed: 1);
        for (int rank = 0; rank < worldSize; rank++)
            Assert.Equal(
                Reference(new RandomSampler(count, seed: 1).Order(5), rank, worldSize),
                sampler.Order(5, rank, worldSize)
            );
    }

    [Theory]
    [InlineData(1024, 4)]
    [InlineData(2048, 8)]
    public void One_process_sees_in_each_step_what_all_would(int count, int worldSize)
    {
        const int BatchSize = 16; // of each process
        RepeatedAugmentationSampler sampler = new(count, seed: 1);
        int[] alone = sampler.Order(2);
        int[][] together = [.. Enumerable.Range(0, worldSize).Select(rank => sampler.Order(2, rank, worldSize))];
        for (int step = 0; step < count / worldSize / BatchSize; step++)
        {
            IEnumerable<int> seen = together.SelectMany(order => order.Skip(step * BatchSize).Take(BatchSize));
            Assert.Equal(seen.Order(), alone.Skip(step * BatchSize * worldSize).Take(BatchSize * worldSize).Order());
        }
    }

    [Theory]
    [InlineData(1, 1)]
    [InlineData(37, 37)]
    [InlineData(255, 255)] // none in the reference
    [InlineData(256, 256)]
    [InlineData(511, 256)]
    [InlineData(512, 512)]
    public void Samples_come_three_times_in_a_row(int count, int expected)
    {
        RepeatedAugmentationSampler sampler = new(count, seed: 1);
        int[] order = sampler.Order(0);
        Assert.Equal((expected, expected), (order.Length, sampler.Count));
        int[][] runs = [.. order.Chunk(3)];
        Assert.All(runs, run => Assert.Single(run.Distinct()));
        Assert.Equal(runs.Length, runs.Select(run => run[0]).Distinct().Count());
        Assert.All(order, index => Assert.InRange(index, 0, count - 1));
    }

    // 256 of 768 samples an epoch. Of each sample the count over the epochs is binomial with a chance of 1/3; that an epoch's
    // add up to 256 takes
    // one degree of freedom: sum (n - mean)^2 / variance, times 767 / 768, is chi-squared with 767.
    [Fact]
    public void An_epoch_sees_a_third_of_the_samples_and_each_sample_a_third_of_the_epochs()
    {
        const int Samples = 768,
            Epochs = 600;
        RepeatedAugmentationSampler sampler = new(Samples, seed: 1);
        int[] seen = new int[Samples];
        List<(double, double)> successive = [];
        HashSet<int> before = [];
        for (int epoch = 0; epoch < Epochs; epoch++)
        {
            HashSet<int> samples = [.. sampler.Order(epoch)];
            Assert.Equal(Samples / 3, samples.Count);
            foreach (int sample in samples)
                seen[sample]++;
            if (epoch > 0)
                successive.AddRange(
                    Enumerable
                        .Range(0, Samples)
                        .Select(sample => (before.Contains(sample) ? 1.0 : 0, samples.Contains(sample) ? 1.0 : 0))
                );
            before = samples;
        }
        const double Mean = Epochs / 3.0,
            Variance = Mean * 2 / 3;
        Frequencies.AssertChiSquared(
            seen.Sum(count => (count - Mean) * (count - Mean) / Variance) * (Samples - 1) / Samples,
            Samples - 1
        );
        Frequencies.AssertUncorrelated(successive); // which third it is does not depend on the epoch before
    }

    [Fact]
    public void Seed_and_epoch_decide_the_order()
    {
        int[] order = new RepeatedAugmentationSampler(500, 1).Order(3);
        Assert.Equal(order, new RepeatedAugmentationSampler(500, 1).Order(3));
        Assert.NotEqual(order, new RepeatedAugmentationSampler(500, 1).Order(4));
        Assert.NotEqual(order, new RepeatedAugmentationSampler(500, 2).Order(3));
    }

    // The reference's list, made in full: repeated, padded to equal hands, dealt out, cut.
    private static int[] Reference(int[] permutation, int rank, int worldSize)
    {
        int total = (int)Math.Ceiling(permutation.Length * 3.0 / worldSize) * worldSize,
            selected = (int)Math.Floor(permutation.Length / 256 * 256 / (double)worldSize);
        List<int> indices = [.. permutation.SelectMany(index => new[] { index, index, index })];
        indices.AddRange(indices.Take(total - indices.Count).ToList());
        return [.. indices.Where((_, position) => position % worldSize == rank).Take(selected)];
    }
}
