using Deit.Gpu;
using Deit.Model.Images;
using Deit.Tests.Gpu;
using Deit.Tests.Train.Data.Loading;
using Deit.Train.Data.Augmentation;
using Deit.Train.Data.Randomness;

namespace Deit.Tests.Train.Data.Augmentation;

public sealed class RandAugmentTests
{
    private const int Pictures = 30_000;

    [Fact]
    public void Strings_follow_timms_grammar()
    {
        Assert.Equal(new RandAugmentSettings { Magnitude = 10, Layers = 2 }, RandAugmentSettings.Parse("rand"));
        Assert.Equal(
            new RandAugmentSettings
            {
                Magnitude = 9,
                MagnitudeDeviation = 0.5,
                Increasing = true,
            },
            RandAugmentSettings.Parse("rand-m9-mstd0.5-inc1")
        );
        Assert.Equal(
            new RandAugmentSettings
            {
                Magnitude = 7,
                Layers = 3,
                Weighted = true,
            },
            RandAugmentSettings.Parse("rand-n3-w0-m7")
        );
        Assert.True(RandAugmentSettings.Parse("rand-inc0").Increasing); // bool("0") is true in Python
    }

    [Theory]
    [InlineData("original", "it begins with 'original'")]
    [InlineData("rand-m", "'m' is no section")]
    [InlineData("rand-m9.5", "'m9.5' is no section")]
    [InlineData("rand-m9-", "'' is no section")]
    [InlineData("rand-p5", "'p5' is no section")]
    [InlineData("rand-mstdx", "'mstdx' is no section")]
    [InlineData("rand-m99999999999", "'m99999999999' is no section")]
    [InlineData("rand-w1", "'w1' is no section")]
    [InlineData("rand-w0-n14", "'n14' is more than the 13 operations")]
    public void Other_strings_are_refused(string text, string why)
    {
        DeitException error = Assert.Throws<DeitException>(() => RandAugmentSettings.Parse(text));
        Assert.StartsWith($"--aa is '{text}', but {why}", error.Message);
        Assert.Contains("rand-m9-mstd0.5-inc1", error.Message);
    }

    [Fact]
    public void Operations_are_uniform_half_of_them_applied_at_a_normal_magnitude()
    {
        List<RandAugmentDraw> draws = Draw("rand-m5-mstd0.5-inc1", layers: 2);
        Frequencies.AssertShare(0.5, draws.Count, 2 * Pictures);
        AssertFrequencies(draws, [.. Enumerable.Repeat(1.0, RandAugmentOperations.Count)]);
        // Ten deviations from either end: never clipped.
        KolmogorovSmirnov.AssertUniform(
            [.. draws.Select(draw => NormalDistribution.Cumulative((draw.Magnitude - 5) / 0.5))],
            0
        );
    }

    // With replacement: where both are applied each of the 225 pairs is as likely, an operation twice too, and neither knows of
    // the other's magnitude.
    [Fact]
    public void Both_operations_of_a_picture_are_independent()
    {
        List<RandAugmentDraw?[]> pictures = DrawPictures("rand-m9-mstd0.5-inc1", layers: 2);
        int[] applied = new int[3];
        foreach (RandAugmentDraw?[] picture in pictures)
            applied[picture.Count(draw => draw is not null)]++;
        Frequencies.AssertCounts(applied, [0.25, 0.5, 0.25]);
        Frequencies.AssertShare(0.5, pictures.Count(picture => picture[0] is not null), Pictures);

        (RandAugmentDraw First, RandAugmentDraw Second)[] both =
        [
            .. pictures
                .Where(picture => picture[0] is not null && picture[1] is not null)
                .Select(picture => (picture[0]!.Value, picture[1]!.Value)),
        ];
        int[] pairs = new int[RandAugmentOperations.Count * RandAugmentOperations.Count];
        foreach ((RandAugmentDraw first, RandAugmentDraw second) in both)
            pairs[((int)first.Operation * RandAugmentOperations.Count) + (int)second.Operation]++;
        Frequencies.AssertCounts(pairs, [.. Enumerable.Repeat(1.0, pairs.Length)]);
        Frequencies.AssertUncorrelated([.. both.Select(pair => (pair.First.Magnitude, pair.Second.Magnitude))]);
    }

    // The reference's magnitudes are normal below ten, and larger ones count as ten.
    [Fact]
    public void Magnitudes_of_the_reference_are_a_clipped_normal()
    {
        List<RandAugmentDraw> draws = Draw("rand-m9-mstd0.5-inc1", layers: 2);
        double below = NormalDistribution.Cumulative((10 - 9) / 0.5);
        Frequencies.AssertShare(1 - below, draws.Count(draw => draw.Magnitude == 10), draws.Count);
        KolmogorovSmirnov.AssertUniform(
            [
                .. draws
                    .Where(draw => draw.Magnitude < 10)
                    .Select(draw => NormalDistribution.Cumulative((draw.Magnitude - 9) / 0.5) / below),
            ],
            0
        );
    }

    [Fact]
    public void Magnitudes_end_at_ten()
    {
        List<RandAugmentDraw> draws = Draw("rand-m9-mstd2", layers: 2);
        double share = 1 - NormalDistribution.Cumulative((10 - 9) / 2.0);
        Frequencies.AssertShare(share, draws.Count(draw => draw.Magnitude == 10), draws.Count);
        Assert.All(draws, draw => Assert.InRange(draw.Magnitude, 0, 10));
        Assert.All(Draw("rand-m3", layers: 2), draw => Assert.Equal(3, draw.Magnitude));
        Assert.All(Draw("rand-m33", layers: 2), draw => Assert.Equal(10, draw.Magnitude));
    }

    [Fact]
    public void Either_direction_is_as_likely()
    {
        List<RandAugmentDraw> draws = Draw("rand-m9-mstd0.5-inc1", layers: 2);
        foreach (RandAugmentOperation operation in Enum.GetValues<RandAugmentOperation>())
        {
            double[] arguments = [.. draws.Where(draw => draw.Operation == operation).Select(draw => draw.Argument)];
            double centre = operation is >= RandAugmentOperation.Color and <= RandAugmentOperation.Sharpness ? 1 : 0;
            if (operation is RandAugmentOperation.Rotate or >= RandAugmentOperation.Color)
                Frequencies.AssertShare(0.5, arguments.Count(argument => argument < centre), arguments.Length);
            else
                Assert.All(arguments, argument => Assert.True(argument >= 0));
        }
    }

    // timm's functions without "inc", by hand.
    [Theory]
    [InlineData(nameof(RandAugmentOperation.Posterize), 9, 3)]
    [InlineData(nameof(RandAugmentOperation.Solarize), 9, 230)]
    [InlineData(nameof(RandAugmentOperation.Solarize), 10, 256)]
    [InlineData(nameof(RandAugmentOperation.Color), 9, 1.72)]
    [InlineData(nameof(RandAugmentOperation.Sharpness), 0, 0.1)]
    [InlineData(nameof(RandAugmentOperation.ShearX), 9, -0.27)]
    public void Without_increasing_the_ranges_are_run_through(string operation, double magnitude, double expected) =>
        Assert.Equal(
            expected,
            Enum.Parse<RandAugmentOperation>(operation).Argument(magnitude, increasing: false, negate: true),
            1e-12
        );

    [Fact]
    public void Weights_are_those_of_timm()
    {
        Dictionary<RandAugmentOperation, double> weights = new()
        {
            [RandAugmentOperation.Rotate] = 0.3,
            [RandAugmentOperation.ShearX] = 0.2,
            [RandAugmentOperation.ShearY] = 0.2,
            [RandAugmentOperation.TranslateX] = 0.1,
            [RandAugmentOperation.TranslateY] = 0.1,
            [RandAugmentOperation.Color] = 0.025,
            [RandAugmentOperation.Sharpness] = 0.025,
            [RandAugmentOperation.AutoContrast] = 0.025,
            [RandAugmentOperation.Solarize] = 0.005,
            [RandAugmentOperation.SolarizeAdd] = 0.005,
            [RandAugmentOperation.Contrast] = 0.005,
            [RandAugmentOperation.Brightness] = 0.005,
            [RandAugmentOperation.Equalize] = 0.005,
        };
        AssertFrequencies(
            Draw("rand-n1-w0", layers: 1),
            [.. Enum.GetValues<RandAugmentOperation>().Select(operation => weights.GetValueOrDefault(operation))]
        );
    }

    [Fact]
    public void Weighted_operations_come_once_a_picture()
    {
        RandAugment augment = new(RandAugmentSettings.Parse("rand-n13-w0"), default);
        for (uint i = 0; i < 100; i++)
        {
            RandomStream random = new(1, 0, RandomSite.RandAugment, i);
            uint drawn = 0;
            for (int layer = 1; layer <= RandAugmentSettings.WeightedOperations; layer++)
            {
                augment.Next(ref drawn, ref random);
                Assert.Equal(layer, System.Numerics.BitOperations.PopCount(drawn));
            }
        }
    }

    [Fact]
    public void Each_picture_is_changed_by_what_was_drawn_for_it()
    {
        RandAugmentSettings settings = RandAugmentSettings.Parse("rand-m9-mstd0.5-inc1");
        RandAugment augment = new(settings, new Pixel(1, 2, 3));
        int changed = 0;
        for (uint i = 0; i < 50; i++)
        {
            RgbImage image = GeneratedDataset.Picture(13, 11, 1),
                expected = GeneratedDataset.Picture(13, 11, 1),
                scratch = GeneratedDataset.Picture(13, 11, 2);
            RandomStream random = new(1, 0, RandomSite.RandAugment, i),
                again = random;
            augment.Apply(image, scratch, ref random);
            uint drawn = 0;
            for (int layer = 0; layer < settings.Layers; layer++)
                if (augment.Next(ref drawn, ref again) is { } draw)
                    draw.Operation.Apply(draw.Argument, expected, scratch, new Pixel(1, 2, 3));
            Assert.Equal(expected.Pixels, image.Pixels);
            changed += image.Pixels.AsSpan().SequenceEqual(GeneratedDataset.Picture(13, 11, 1).Pixels) ? 0 : 1;
        }
        Assert.InRange(changed, 1, 49); // a quarter has no operation applied
    }

    private static List<RandAugmentDraw> Draw(string text, int layers) =>
        [.. DrawPictures(text, layers).SelectMany(picture => picture).OfType<RandAugmentDraw>()];

    private static List<RandAugmentDraw?[]> DrawPictures(string text, int layers)
    {
        RandAugment augment = new(RandAugmentSettings.Parse(text), default);
        List<RandAugmentDraw?[]> pictures = [];
        for (uint i = 0; i < Pictures; i++)
        {
            RandomStream random = new(5, 0, RandomSite.RandAugment, i);
            uint drawn = 0;
            RandAugmentDraw?[] picture = new RandAugmentDraw?[layers];
            for (int layer = 0; layer < layers; layer++)
                picture[layer] = augment.Next(ref drawn, ref random);
            pictures.Add(picture);
        }
        return pictures;
    }

    private static void AssertFrequencies(List<RandAugmentDraw> draws, double[] weights) =>
        Frequencies.AssertCounts(
            [
                .. Enumerable
                    .Range(0, weights.Length)
                    .Select(i => draws.Count(draw => draw.Operation == (RandAugmentOperation)i)),
            ],
            weights
        );
}
