using System.Security.Cryptography;
using Deit.Cli.Demo;
using Deit.Model.Images;

namespace Deit.Tests.Cli.Demo;

public sealed class DemoDatasetTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Every_class_has_the_same_number_of_distinct_pictures_of_the_size()
    {
        DemoDataset data = new()
        {
            TrainImagesPerClass = 7,
            ValImagesPerClass = 3,
            Size = 37,
        };
        data.Write(_folder["demo"], TestContext.Current.CancellationToken);

        Assert.Equal(["train", "val"], Names(_folder["demo"]));
        HashSet<string> seen = [];
        foreach ((string split, int count) in (ReadOnlySpan<(string, int)>)[("train", 7), ("val", 3)])
        {
            string splitFolder = Path.Combine(_folder["demo"], split);
            Assert.Equal(DemoDataset.Classes, Names(splitFolder));
            foreach (string name in DemoDataset.Classes)
            {
                string[] files = Names(Path.Combine(splitFolder, name));
                Assert.Equal(Enumerable.Range(0, count).Select(i => $"{i:D4}.png"), files);
                foreach (string file in files)
                {
                    RgbImage image = ImageDecoder.Decode(Path.Combine(splitFolder, name, file));
                    Assert.Equal((37, 37), (image.Width, image.Height));
                    Assert.True(
                        seen.Add(Convert.ToHexString(SHA256.HashData(image.Pixels))),
                        $"{split}/{name}/{file} repeats a picture."
                    );
                }
            }
        }
    }

    [Fact]
    public void The_labels_of_a_folder_reader_are_the_indices_of_the_classes() =>
        Assert.Equal(DemoDataset.Classes.Order(StringComparer.Ordinal), DemoDataset.Classes);

    [Fact]
    public void The_seed_decides_every_pixel_and_the_counts_none()
    {
        DemoDataset data = new()
        {
            TrainImagesPerClass = 3,
            ValImagesPerClass = 2,
            Seed = 5,
        };
        data.Write(_folder["a"], TestContext.Current.CancellationToken);
        (data with { TrainImagesPerClass = 4 }).Write(_folder["b"], TestContext.Current.CancellationToken);
        (data with { Seed = 6 }).Write(_folder["c"], TestContext.Current.CancellationToken);
        string[] files =
        [
            .. Directory
                .EnumerateFiles(_folder["a"], "*", SearchOption.AllDirectories)
                .Select(file => Path.GetRelativePath(_folder["a"], file)),
        ];
        Assert.Equal(5 * DemoDataset.Classes.Length, files.Length);
        foreach (string file in files)
        {
            byte[] pixels = ImageDecoder.Decode(Path.Combine(_folder["a"], file)).Pixels;
            Assert.Equal(pixels, ImageDecoder.Decode(Path.Combine(_folder["b"], file)).Pixels);
            Assert.NotEqual(pixels, ImageDecoder.Decode(Path.Combine(_folder["c"], file)).Pixels);
        }
    }

    // A figure covers its share of the box of radius 1 round it: areas by geometry, from samples of many pictures.
    [Theory]
    [InlineData("circle", Math.PI)]
    [InlineData("square", 1.6 * 1.6)]
    [InlineData("triangle", 1.299038105676658)]
    [InlineData("ring", Math.PI * (1 - 0.36))]
    [InlineData("cross", 2 * 1.9 * 0.54 - 0.54 * 0.54)]
    public void A_figure_has_its_area(string name, double area)
    {
        // The noise-free share of the figure: how far a pixel went from the background colour, which fills the border.
        const int Size = 128;
        double radii = 0,
            covered = 0;
        for (uint i = 0; i < 40; i++)
        {
            SplitMix64 random = new(11, 0, 0, i);
            // The first number of a picture is its radius.
            SplitMix64 peek = random;
            double radius = Size * peek.Uniform(0.26, 0.42);
            radii += radius * radius;
            covered += ForegroundPixels(DemoPicture.Draw(DemoDataset.Classes.IndexOf(name), Size, ref random));
        }
        Assert.InRange(covered / radii, area * 0.93, area * 1.07);
    }

    // The nearest training picture by mean colour guesses the class no better than chance, which is 1/8. Its standard error is 0.021
    // here; the bound is five of them.
    [Fact]
    public void Colours_do_not_tell_the_class()
    {
        (double[] Colour, int Label)[] train = [.. Colours(split: 0, count: 60)],
            validation = [.. Colours(split: 1, count: 30)];
        int right = validation.Count(picture =>
            train.MinBy(other => other.Colour.Zip(picture.Colour, (a, b) => (a - b) * (a - b)).Sum()).Label
            == picture.Label
        );
        Assert.InRange(right / (double)validation.Length, 0, 0.23);

        static IEnumerable<(double[] Colour, int Label)> Colours(uint split, uint count)
        {
            for (int label = 0; label < DemoDataset.Classes.Length; label++)
            {
                for (uint i = 0; i < count; i++)
                {
                    SplitMix64 random = new(3, split, (uint)label, i);
                    byte[] pixels = DemoPicture.Draw(label, 32, ref random).Pixels;
                    yield return (
                        [
                            .. Enumerable
                                .Range(0, 3)
                                .Select(channel =>
                                    pixels.Where((_, at) => at % 3 == channel).Average(value => (double)value)
                                ),
                        ],
                        label
                    );
                }
            }
        }
    }

    [Fact]
    public void A_folder_with_content_is_refused_and_intact()
    {
        File.WriteAllText(Path.Combine(Directory.CreateDirectory(_folder["demo"]).FullName, "mine.txt"), "mine");
        DeitException error = Assert.Throws<DeitException>(() =>
            new DemoDataset().Write(_folder["demo"], TestContext.Current.CancellationToken)
        );
        Assert.Contains("not an empty folder", error.Message);
        Assert.Equal(["mine.txt"], Names(_folder["demo"]));
        Assert.Equal(["demo"], Names(_folder.Path));
    }

    [Fact]
    public void An_empty_folder_is_filled()
    {
        Directory.CreateDirectory(_folder["demo"]);
        new DemoDataset { TrainImagesPerClass = 1, ValImagesPerClass = 1 }.Write(
            _folder["demo"] + Path.DirectorySeparatorChar,
            TestContext.Current.CancellationToken
        );
        Assert.Equal(["train", "val"], Names(_folder["demo"]));
    }

    [Fact]
    public void Cancelled_it_leaves_nothing_behind()
    {
        Assert.ThrowsAny<OperationCanceledException>(() =>
            new DemoDataset().Write(_folder["demo"], new CancellationToken(canceled: true))
        );
        Assert.Empty(Names(_folder.Path));
    }

    // Pixels nearer to the figure's colour than to the background's. The background's is that of the border, the figure's the one
    // farthest from it.
    private static double ForegroundPixels(RgbImage image)
    {
        int size = image.Width;
        double[][] smooth = [.. Enumerable.Range(0, 3).Select(channel => Smooth(image, channel))];
        double[] back =
        [
            .. smooth.Select(plane =>
                Enumerable
                    .Range(0, size)
                    .Average(i =>
                        (plane[i] + plane[(size * size) - 1 - i] + plane[i * size] + plane[(i * size) + size - 1]) / 4
                    )
            ),
        ];
        double[] away = new double[size * size];
        for (int i = 0; i < away.Length; i++)
            away[i] = Math.Sqrt(smooth.Select((plane, channel) => Math.Pow(plane[i] - back[channel], 2)).Sum());
        double far = away.Order().ElementAt((int)(away.Length * 0.97));
        return away.Count(distance => distance > far / 2);
    }

    // Means over 3 x 3 pixels, which have a third of the noise.
    private static double[] Smooth(RgbImage image, int channel)
    {
        double[] plane = new double[image.Width * image.Height];
        for (int i = 0; i < plane.Length; i++)
        {
            (int y, int x) = int.DivRem(i, image.Width);
            int count = 0;
            for (int v = Math.Max(0, y - 1); v <= Math.Min(image.Height - 1, y + 1); v++)
            {
                for (int u = Math.Max(0, x - 1); u <= Math.Min(image.Width - 1, x + 1); u++, count++)
                    plane[i] += image.Pixels[(((v * image.Width) + u) * 3) + channel];
            }
            plane[i] /= count;
        }
        return plane;
    }

    private static string[] Names(string folder) =>
        [
            .. Directory
                .EnumerateFileSystemEntries(folder)
                .Select(entry => Path.GetFileName(entry))
                .Order(StringComparer.Ordinal),
        ];
}
