using Deit.Gpu;
using Deit.Model.Images;
using Deit.Tests.Gpu;
using Deit.Train.Data.Augmentation;
using Deit.Train.Data.Randomness;
using Deit.Train.Options;

namespace Deit.Tests.Train.Data.Augmentation;

public sealed class RandomErasingTests
{
    private const int Draws = 20_000;
    private const float Untouched = 99; // far beyond any normal number

    [Theory]
    [InlineData(224, 224, 1)]
    [InlineData(113, 197, 1)]
    [InlineData(300, 100, 3)]
    public void Area_and_shape_follow_the_definition(int width, int height, int parts)
    {
        PixelRectangle[] actual = Parts(width, height, parts),
            expected = [.. Enumerable.Range(0, Draws).Select(new Oracle(width, height, parts).Draw)];
        KolmogorovSmirnov.AssertSame(
            [.. actual.Select(part => (double)part.Width)],
            [.. expected.Select(part => (double)part.Width)]
        );
        KolmogorovSmirnov.AssertSame(
            [.. actual.Select(part => (double)part.Height)],
            [.. expected.Select(part => (double)part.Height)]
        );
        KolmogorovSmirnov.AssertSame(
            [.. actual.Select(part => (double)part.Width * part.Height)],
            [.. expected.Select(part => (double)part.Width * part.Height)]
        );
        Assert.All(
            actual,
            part => Assert.True(part.IsInside(width, height) && part.Width < width && part.Height < height)
        );
    }

    [Fact]
    public void Every_place_is_as_likely()
    {
        PixelRectangle[] loose = [.. Parts(4000, 4000, 1).Where(part => part.Width < 3600 && part.Height < 3600)]; // at least 400 places
        KolmogorovSmirnov.AssertUniform([.. loose.Select(part => (part.X + 0.5) / (4000 - part.Width + 1))], 2e-3);
        KolmogorovSmirnov.AssertUniform([.. loose.Select(part => (part.Y + 0.5) / (4000 - part.Height + 1))], 2e-3);
    }

    [Fact]
    public void A_share_of_the_pictures_loses_something()
    {
        const double Chance = 0.25;
        RandomErasing erasing = new(Chance, ErasingMode.Const, 1);
        int erased = 0;
        for (int i = 0; i < Draws; i++)
            erased += Erase(erasing, 32, 32, i).Any(value => value != Untouched) ? 1 : 0;
        // A try fails at most where a side would be as long as the picture's, one in five; ten fail one time in millions.
        Frequencies.AssertShare(Chance, erased, Draws);
    }

    [Theory]
    [InlineData(nameof(ErasingMode.Const))]
    [InlineData(nameof(ErasingMode.Rand))]
    [InlineData(nameof(ErasingMode.Pixel))]
    public void One_rectangle_of_all_channels_is_replaced(string name)
    {
        ErasingMode mode = Enum.Parse<ErasingMode>(name);
        const int Width = 37,
            Height = 41,
            Plane = Width * Height;
        List<double> noise = [];
        for (int i = 0; i < 200; i++)
        {
            float[] chw = Erase(new RandomErasing(1, mode, 1), Width, Height, i);
            int[] erased = [.. Enumerable.Range(0, 3 * Plane).Where(j => chw[j] != Untouched)];
            int[] first = [.. erased.Where(j => j < Plane)];
            int left = first.Min(j => j % Width),
                right = first.Max(j => j % Width),
                top = first[0] / Width,
                bottom = first[^1] / Width;
            Assert.Equal((right - left + 1) * (bottom - top + 1), first.Length);
            Assert.Equal(first.Concat(first.Select(j => j + Plane)).Concat(first.Select(j => j + (2 * Plane))), erased);
            for (int channel = 0; channel < 3; channel++)
            {
                float[] values = [.. first.Select(j => chw[(channel * Plane) + j])];
                if (mode == ErasingMode.Const)
                    Assert.All(values, value => Assert.Equal(0, value));
                else if (mode == ErasingMode.Rand)
                    Assert.Single(values.Distinct());
                noise.AddRange(
                    mode == ErasingMode.Pixel
                        ? values.Select(value => (double)value)
                        : values.Take(1).Select(value => (double)value)
                );
            }
        }
        if (mode != ErasingMode.Const)
            KolmogorovSmirnov.AssertUniform([.. noise.Select(NormalDistribution.Cumulative)], 1e-7); // numbers are floats
    }

    [Fact]
    public void Several_parts_share_the_area()
    {
        RandomErasing erasing = new(1, ErasingMode.Const, 3);
        double[] areas =
        [
            .. Enumerable
                .Range(0, 2000)
                .Select(i => Erase(erasing, 113, 113, i).Count(value => value != Untouched) / (3.0 * 113 * 113)),
        ];
        Assert.True(areas.Max() <= (1 / 3.0) + 0.02, $"{areas.Max()}"); // sides of at least 11 pixels, each rounded by at most a half
        Assert.True(areas.Min() >= 0.02 * 0.8 / 3, $"{areas.Min()}"); // all parts of a picture may cover each other
    }

    // How many parts there are shows only where they cover each other or not: the area that is lost is held to the definition's.
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void The_number_of_parts_is_uniform(int count)
    {
        const int Side = 48,
            Pictures = 5000;
        RandomErasing erasing = new(1, ErasingMode.Const, count);
        double[] actual =
        [
            .. Enumerable
                .Range(0, Pictures)
                .Select(i =>
                    (double)Erase(erasing, Side, Side, i).Take(Side * Side).Count(value => value != Untouched)
                ),
        ];
        Random random = new(3);
        Oracle[] oracles = [.. Enumerable.Range(1, count).Select(parts => new Oracle(Side, Side, parts))];
        double[] expected =
        [
            .. Enumerable
                .Range(0, Pictures)
                .Select(_ =>
                {
                    HashSet<int> lost = [];
                    int parts = random.Next(1, count + 1);
                    for (int i = 0; i < parts; i++)
                    {
                        PixelRectangle part = oracles[parts - 1].Draw(0);
                        int x = random.Next(Side - part.Width + 1),
                            y = random.Next(Side - part.Height + 1);
                        for (int j = 0; j < part.Width * part.Height; j++)
                            lost.Add(((y + (j / part.Width)) * Side) + x + (j % part.Width));
                    }
                    return (double)lost.Count;
                }),
        ];
        KolmogorovSmirnov.AssertSame(actual, expected);
    }

    private static float[] Erase(RandomErasing erasing, int width, int height, int picture)
    {
        float[] chw = new float[3 * width * height];
        Array.Fill(chw, Untouched);
        RandomStream random = new(3, 0, RandomSite.RandomErasing, (ulong)picture);
        erasing.Apply(chw, width, height, ref random);
        return chw;
    }

    private static PixelRectangle[] Parts(int width, int height, int parts) =>
        [
            .. Enumerable
                .Range(0, Draws)
                .Select(i =>
                {
                    RandomStream random = new(7, 0, RandomSite.RandomErasing, (ulong)i);
                    return RandomErasing.Choose(width, height, parts, ref random);
                })
                .OfType<PixelRectangle>(),
        ];

    /// <summary>The definition again, with the platform's generator; a failure of all tries, one in millions, is an exception.</summary>
    private sealed class Oracle(int width, int height, int parts)
    {
        private readonly Random _random = new(1);

        public PixelRectangle Draw(int _)
        {
            for (int i = 0; i < 100; i++)
            {
                double area = width * height * (0.02 + (_random.NextDouble() * ((1 / 3.0) - 0.02))) / parts;
                double aspect = 0.3 * Math.Pow(1 / 0.3 / 0.3, _random.NextDouble());
                (int w, int h) = ((int)Math.Round(Math.Sqrt(area / aspect)), (int)Math.Round(Math.Sqrt(area * aspect)));
                if (w < width && h < height)
                    return new PixelRectangle(0, 0, w, h);
            }
            throw new InvalidOperationException("No part fits.");
        }
    }
}
