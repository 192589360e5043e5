using Deit.Model.Images;
using Deit.Tests.Train.Data.Loading;
using Deit.Train.Data.Augmentation;
using Deit.Train.Data.Formats;
using Deit.Train.Data.Loading;
using Deit.Train.Data.Splits;

namespace Deit.Tests.Train.Data.Formats;

/// <summary>The demands on every format, and the pictures that their tests store.</summary>
internal static class DatasetAssert
{
    public static int[] Labels(IImageSplit dataset) => [.. Enumerable.Range(0, dataset.Count).Select(dataset.Label)];

    public static string[] Names(IImageSplit dataset) => [.. Enumerable.Range(0, dataset.Count).Select(dataset.Name)];

    /// <summary>A picture as PNG: decoded again, it has the same pixels.</summary>
    public static byte[] Png(int seed, int width = 9, int height = 7)
    {
        using TemporaryFolder folder = new();
        ImageEncoder.SavePng(GeneratedDataset.Picture(width, height, seed), folder["picture.png"]);
        return File.ReadAllBytes(folder["picture.png"]);
    }

    /// <summary>Runs an action that must fail, and checks that its message is one whole sentence with the expected
    /// words.</summary>
    public static T Sentence<T>(string expected, Action action)
        where T : DeitException
    {
        T error = Assert.ThrowsAny<T>(action);
        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
        Assert.EndsWith(".", error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', error.Message);
        Assert.False(error.Message.EndsWith("..", StringComparison.Ordinal), error.Message);
        return error;
    }

    /// <summary>Every picture, from many threads at once and in another order in each, is the expected one.</summary>
    public static void LoadsFromManyThreads(IImageSplit dataset, Func<int, RgbImage> expected)
    {
        RgbImage[] pictures = [.. Enumerable.Range(0, dataset.Count).Select(expected)];
        Parallel.For(
            0,
            8,
            new ParallelOptions { MaxDegreeOfParallelism = 8 },
            thread =>
            {
                int[] order = [.. Enumerable.Range(0, dataset.Count)];
                new Random(thread).Shuffle(order);
                foreach (int index in order)
                {
                    RgbImage image = dataset.Load(index);
                    Assert.Equal((pictures[index].Width, pictures[index].Height), (image.Width, image.Height));
                    Assert.Equal(pictures[index].Pixels, image.Pixels);
                }
            }
        );
    }

    /// <summary>An epoch of training and one of evaluation, as the commands run them.</summary>
    /// <param name="dataset">The data.</param>
    /// <param name="unreadable">How many pictures cannot be read.</param>
    public static void GivesEpochs(IImageSplit dataset, int unreadable = 0)
    {
        const int Batch = 4;
        foreach (bool training in new[] { true, false })
        {
            IImageTransform transform = training
                ? new TrainTransform(new TrainTransformOptions { InputSize = 16 }, seed: 1)
                : new EvaluationTransform(new Preprocess { InputSize = 16 });
            ISampler sampler = training ? new RandomSampler(dataset.Count, 3) : new SequentialSampler(dataset.Count);
            BatchLoader loader = new(
                dataset,
                sampler,
                transform,
                new BatchLoaderOptions
                {
                    BatchSize = Batch,
                    Workers = 3,
                    Training = training,
                }
            );
            List<int> seen = [];
            foreach (Batch batch in loader.Epoch(0))
                using (batch)
                    for (int i = 0; i < batch.Count; i++)
                    {
                        seen.Add(batch.Indices[i]);
                        Assert.Equal((uint)dataset.Label(batch.Indices[i]), batch.Labels[i]);
                    }
            Assert.Equal(training ? dataset.Count / Batch * Batch : dataset.Count - unreadable, seen.Count);
            Assert.Equal(unreadable, training ? unreadable : loader.Unreadable.Count);
        }
    }

    /// <summary>
    /// A share of each class is held out: both sides together are all of it, and neither shares a picture with the other.
    /// </summary>
    public static void HoldsOut(Func<string, DatasetOptions, IImageSplit> open, int[] held)
    {
        DatasetOptions options = new() { ValFraction = 0.25, Seed = 5 };
        IImageSplit all = open("train", new DatasetOptions()),
            train = open("train", options),
            val = open("val", options);
        Assert.Equal(
            Names(all).Order(StringComparer.Ordinal),
            Names(train).Concat(Names(val)).Order(StringComparer.Ordinal)
        );
        Assert.Equal(all.Count, train.Count + val.Count);
        Assert.Equal(
            held,
            Enumerable.Range(0, held.Length).Select(label => Labels(val).Count(other => other == label))
        );
        Assert.Equal(Names(val), Names(open("val", options)));
        Assert.NotEqual(Names(val), Names(open("val", options with { Seed = 6 })));
        Dictionary<string, int> numbers = Enumerable.Range(0, all.Count).ToDictionary(all.Name);
        foreach (IImageSplit side in new[] { train, val })
            for (int i = 0; i < side.Count; i++)
            {
                int same = numbers[side.Name(i)];
                Assert.Equal(all.Label(same), side.Label(i));
                Assert.Equal(all.Load(same).Pixels, side.Load(i).Pixels);
            }
        Sentence<DeitException>("expected 0 to below 1", () => open("train", new DatasetOptions { ValFraction = 1 }));
        Sentence<DeitException>(
            "expected 0 to below 1",
            () => open("val", new DatasetOptions { ValFraction = double.NaN })
        );
    }
}
