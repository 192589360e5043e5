using Deit.Gpu;
using Deit.Model.Images;
using Deit.Tests.Train.Data.Loading;
using Deit.Train.Data.Augmentation;
using Deit.Train.Data.Randomness;
using Deit.Train.Options;

namespace Deit.Tests.Train.Data.Augmentation;

public sealed class TrainTransformTests
{
    private static readonly TrainTransformOptions Whole = new()
    {
        InputSize = 37,
        Scale = (1, 1),
        Ratio = (1, 1),
        HorizontalFlip = 0,
    };

    // The reference's recipe.
    private static readonly TrainTransformOptions Augmented = new()
    {
        AutoAugment = "rand-m9-mstd0.5-inc1",
        ErasingProbability = 0.25,
    };

    [Fact]
    public void The_whole_picture_is_resized_and_normalised()
    {
        RgbImage image = GeneratedDataset.Picture(113, 113, 1);
        float[] actual = Apply(Whole, image),
            expected = new float[3 * 37 * 37];
        Normalization.Apply(
            Resampler.Resize(image, 37, 37, ResampleFilter.Bicubic).Pixels,
            Whole.Mean,
            Whole.StandardDeviation,
            expected,
            37 * 37
        );
        Assert.Equal(expected, actual);
    }

    [Theory]
    [InlineData(37)] // resized
    [InlineData(32)] // padded: columns mirror too
    public void A_flip_mirrors_columns(int size)
    {
        RgbImage image = GeneratedDataset.Picture(113, 113, 1);
        TrainTransformOptions options = Whole with { InputSize = size };
        float[] straight = Apply(options, image),
            mirrored = Apply(options with { HorizontalFlip = 1 }, image);
        for (int row = 0; row < 3 * size; row++)
            Assert.Equal(
                straight[(row * size)..((row + 1) * size)].Reverse(),
                mirrored[(row * size)..((row + 1) * size)]
            );
    }

    [Fact]
    public void A_share_of_the_pictures_is_flipped()
    {
        const int Draws = 4000;
        const double Chance = 0.3;
        RgbImage image = GeneratedDataset.Picture(33, 33, 1);
        TrainTransform transform = new(Whole with { InputSize = 33, HorizontalFlip = Chance }, seed: 5);
        float[] straight = Apply(Whole with { InputSize = 33 }, image),
            chw = new float[straight.Length];
        int flipped = 0;
        for (int i = 0; i < Draws; i++)
        {
            transform.Apply(image, epoch: 0, position: i, chw);
            flipped += straight.AsSpan().SequenceEqual(chw) ? 0 : 1;
        }
        Frequencies.AssertShare(Chance, flipped, Draws);
    }

    [Fact]
    public void Draws_depend_on_seed_epoch_and_position_alone()
    {
        RgbImage image = GeneratedDataset.Picture(61, 47, 1);
        TrainTransformOptions options = new() { InputSize = 33 };
        float[] first = Apply(options, image, seed: 1, epoch: 2, position: 3);
        TrainTransform used = new(options, seed: 1);
        float[] again = new float[first.Length];
        for (int i = 0; i < 5; i++)
            used.Apply(image, epoch: 9, position: i, again);
        used.Apply(image, epoch: 2, position: 3, again);
        Assert.Equal(first, again);
        Assert.NotEqual(first, Apply(options, image, seed: 2, epoch: 2, position: 3));
        Assert.NotEqual(first, Apply(options, image, seed: 1, epoch: 3, position: 3));
        Assert.NotEqual(first, Apply(options, image, seed: 1, epoch: 2, position: 4));
    }

    [Fact]
    public void Small_inputs_are_cut_from_the_padded_picture()
    {
        RgbImage source = GeneratedDataset.Picture(9, 7, 3),
            target = new(7, 6, new byte[7 * 6 * 3]);
        for (int i = 0; i < source.Pixels.Length; i++)
            source.Pixels[i] |= 1; // not black, so that it shows where the padding begins
        Dictionary<(int, int), int> places = [];
        const int Draws = 11 * 10 * 100; // a place for each column and row from -4 to length + 4 - wanted
        for (int i = 0; i < Draws; i++)
        {
            RandomStream random = new(1, 0, RandomSite.RandomCrop, (ulong)i);
            target.Pixels.AsSpan().Fill(99);
            new PaddedRandomCrop().Apply(source, target, ref random);
            (int, int) place = Place(source, target);
            places[place] = places.GetValueOrDefault(place) + 1;
        }
        Assert.Equal(11 * 10, places.Count);
        double statistic = places.Values.Sum(count => (count - 100.0) * (count - 100) / 100);
        Assert.InRange(statistic, 0, 109 + (5 * Math.Sqrt(2 * 109))); // chi-squared of 109 degrees of freedom, five deviations
    }

    [Fact]
    public void A_picture_smaller_than_its_padding_allows_is_padded_further()
    {
        RgbImage source = new(1, 2, [1, 2, 3, 4, 5, 6]),
            target = new(32, 31, new byte[32 * 31 * 3]);
        for (uint i = 0; i < 50; i++)
        {
            RandomStream random = new(1, 0, RandomSite.RandomCrop, i);
            target.Pixels.AsSpan().Fill(99);
            new PaddedRandomCrop().Apply(source, target, ref random);
            Assert.Equal(21, target.Pixels.Sum(value => value)); // all of it and black
        }
    }

    [Fact]
    public void Augmentation_depends_on_seed_epoch_and_position_alone()
    {
        RgbImage image = GeneratedDataset.Picture(61, 47, 1);
        TrainTransformOptions options = Augmented with { InputSize = 33 };
        TrainTransform used = new(options, seed: 1);
        float[] again = new float[3 * 33 * 33];
        used.Apply(image, epoch: 9, position: 1, again);
        for (int i = 0; i < 30; i++)
        {
            used.Apply(image, epoch: 2, position: i, again);
            Assert.Equal(Apply(options, image, seed: 1, epoch: 2, position: i), again);
        }
    }

    [Fact]
    public void Erasing_leaves_the_rest_of_the_picture_alone()
    {
        RgbImage image = GeneratedDataset.Picture(61, 47, 1);
        TrainTransformOptions options = Augmented with { InputSize = 33, ErasingProbability = 0 };
        for (int i = 0; i < 20; i++)
        {
            float[] whole = Apply(options, image, position: i);
            float[] erased = Apply(
                options with
                {
                    ErasingProbability = 1,
                    ErasingMode = ErasingMode.Const,
                },
                image,
                position: i
            );
            Assert.NotEqual(whole, erased);
            for (int j = 0; j < whole.Length; j++)
                Assert.True(erased[j] == whole[j] || erased[j] == 0);
        }
    }

    [Fact]
    public void Colours_are_jittered_only_without_randaugment()
    {
        RgbImage image = GeneratedDataset.Picture(61, 47, 1);
        TrainTransformOptions jittered = Whole with { ColorJitter = 0.3 },
            augmented = Whole with { AutoAugment = Augmented.AutoAugment };
        Assert.NotEqual(Apply(Whole, image), Apply(jittered, image));
        for (int i = 0; i < 20; i++)
            Assert.Equal(
                Apply(augmented, image, position: i),
                Apply(augmented with { ColorJitter = 0.3 }, image, position: i)
            );
    }

    [Fact]
    public void What_randaugment_moves_in_is_the_mean()
    {
        RgbImage black = new(37, 37, new byte[37 * 37 * 3]);
        float[] mean = new float[3];
        Normalization.Apply([124, 116, 104], Whole.Mean, Whole.StandardDeviation, mean, 1); // ImageNet's mean in levels
        HashSet<float> red = [];
        for (int i = 0; i < 50; i++)
            red.UnionWith(Apply(Whole with { AutoAugment = "rand-m9-n1-w0" }, black, position: i)[..(37 * 37)]); // mostly shears and moves
        Assert.Contains(mean[0], red);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Nothing_is_allocated_for_a_picture(bool augmented)
    {
        RgbImage image = GeneratedDataset.Picture(300, 200, 1);
        TrainTransform transform = new(augmented ? Augmented : new TrainTransformOptions(), seed: 1);
        float[] chw = new float[3 * 224 * 224];
        for (int i = 0; i < 20; i++)
            transform.Apply(image, 0, i, chw);
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 20; i++)
            transform.Apply(image, 0, i, chw);
        // the pools' own small change; a picture alone has 150,528 bytes
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 4096);
    }

    private static float[] Apply(
        TrainTransformOptions options,
        RgbImage image,
        ulong seed = 1,
        int epoch = 0,
        int position = 0
    )
    {
        float[] chw = new float[3 * options.InputSize.Pixels];
        Array.Fill(chw, float.NaN);
        new TrainTransform(options, seed).Apply(image, epoch, position, chw);
        return chw;
    }

    // Which place of the padded picture the target shows, found by comparing with all of them.
    private static (int X, int Y) Place(RgbImage source, RgbImage target)
    {
        for (int top = -4; top <= source.Height + 4 - target.Height; top++)
        for (int left = -4; left <= source.Width + 4 - target.Width; left++)
            if (Shows(source, target, left, top))
                return (left, top);
        throw new InvalidDataException("The crop is no part of the padded picture.");
    }

    private static bool Shows(RgbImage source, RgbImage target, int left, int top)
    {
        for (int i = 0; i < target.Pixels.Length; i++)
        {
            (int x, int y) = (left + (i / 3 % target.Width), top + (i / 3 / target.Width));
            byte expected =
                x < 0 || y < 0 || x >= source.Width || y >= source.Height
                    ? (byte)0
                    : source.Pixels[(((y * source.Width) + x) * 3) + (i % 3)];
            if (target.Pixels[i] != expected)
                return false;
        }
        return true;
    }
}
