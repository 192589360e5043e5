using Deit.Model.Images;
using Deit.Tests.Model.Images;
using Deit.Train.Data.Augmentation;
using Deit.Train.Data.Formats;
using Deit.Train.Data.Loading;

namespace Deit.Tests.Train.Data.Loading;

public sealed class BatchLoaderTests
{
    private static readonly TrainTransformOptions Small = new() { InputSize = 33 };

    [Fact]
    public void Batches_are_the_same_for_any_number_of_workers()
    {
        int[] damaged = [3, 4, 40];
        Sample[][] alone = Run(new GeneratedDataset(53, damaged), batch: 7, workers: 1, training: true);
        Assert.Equal(53 / 7, alone.Length);
        foreach (int workers in new[] { 2, 5 })
        {
            // Pauses that differ between pictures turn the order of the workers upside down.
            GeneratedDataset uneven = new(53, damaged) { OnLoad = index => Thread.Sleep(index * 31 % 4) };
            Assert.Equal(alone, Run(uneven, batch: 7, workers, training: true));
        }
    }

    [Fact]
    public void A_resumed_epoch_goes_on_with_the_same_batches()
    {
        GeneratedDataset dataset = new(53, 3, 4, 40);
        Sample[][] whole = Run(dataset, batch: 7, workers: 2, training: true);
        Assert.Equal(whole[3..], Run(dataset, batch: 7, workers: 2, training: true, firstBatch: 3));
        Assert.Empty(Run(dataset, batch: 7, workers: 2, training: true, firstBatch: 7));
        Assert.Empty(Run(dataset, batch: 7, workers: 2, training: true, firstBatch: int.MaxValue));
    }

    // Nothing else of the epoch is decoded: that is the work of other ranks.
    [Theory]
    [InlineData(true)]
    [InlineData(false)] // the last batch is smaller
    public void Batches_that_are_not_wanted_are_left_out_and_the_others_stay_as_they_are(bool training)
    {
        GeneratedDataset dataset = new(53, 3, 4, 40);
        Sample[][] whole = Run(dataset, batch: 7, workers: 2, training);
        foreach (int ranks in (int[])[2, 3, 20])
            for (int rank = 0; rank < ranks; rank++)
                foreach (int firstBatch in (int[])[0, 3])
                    Assert.Equal(
                        whole
                            .Index()
                            .Where(one => one.Index >= firstBatch && one.Index % ranks == rank)
                            .Select(one => one.Item),
                        Run(dataset, batch: 7, workers: 2, training, firstBatch, batch => batch % ranks == rank)
                    );
    }

    [Fact]
    public void A_sample_is_its_picture_transformed_and_its_label()
    {
        GeneratedDataset dataset = new(20);
        int[] order = new RandomSampler(20, 1).Order(5);
        TrainTransform transform = new(Small, seed: 1);
        Sample[] samples = [.. Run(dataset, batch: 4, workers: 2, training: true).SelectMany(batch => batch)];
        for (int position = 0; position < order.Length; position++)
        {
            float[] expected = new float[3 * 33 * 33];
            transform.Apply(dataset.Load(order[position]), 5, position, expected);
            Assert.Equal(
                new Sample(order[position], (uint)dataset.Label(order[position]), expected),
                samples[position]
            );
        }
    }

    // The loader decodes little more of a JPEG than the crop: the sample must not show it.
    [Fact]
    public void A_sample_of_a_file_is_its_whole_picture_transformed()
    {
        using TemporaryFolder folder = new();
        for (int i = 0; i < 12; i++)
        {
            Directory.CreateDirectory(folder[$"{i % 2}"]);
            File.WriteAllBytes(
                folder[$"{i % 2}/{i}.jpg"],
                EncodedImages.Skia(TestImages.Noise(301 - i, 203 + i, seed: i), SkiaSharp.SKEncodedImageFormat.Jpeg)
            );
        }
        ImageFolderDataset dataset = ImageFolderDataset.Open(folder.Path, "train");
        TrainTransform transform = new(Small, seed: 1);
        for (int epoch = 0; epoch < 5; epoch++)
        {
            int[] order = new RandomSampler(12, 1).Order(epoch);
            BatchLoader loader = new(
                dataset,
                new RandomSampler(12, 1),
                transform,
                new BatchLoaderOptions { BatchSize = 12, Training = true }
            );
            using Batch batch = Assert.Single(loader.Epoch(epoch, cancellation: TestContext.Current.CancellationToken));
            float[] expected = new float[3 * 33 * 33];
            for (int position = 0; position < order.Length; position++)
            {
                transform.Apply(dataset.Load(order[position]), epoch, position, expected);
                Assert.Equal(
                    expected,
                    batch.Images[(position * expected.Length)..((position + 1) * expected.Length)].ToArray()
                );
            }
        }
    }

    [Fact]
    public void Evaluation_sees_every_picture_once_and_the_last_batch_is_smaller()
    {
        Sample[][] batches = Run(new GeneratedDataset(23), batch: 8, workers: 3, training: false);
        Assert.Equal([8, 8, 7], batches.Select(batch => batch.Length));
        Assert.Equal(Enumerable.Range(0, 23), batches.SelectMany(batch => batch).Select(sample => sample.Index));
    }

    [Fact]
    public void In_evaluation_what_cannot_be_read_is_left_out()
    {
        int[] damaged = [0, 5, 8, 9, 10, 11, 22]; // first and last of a batch, a whole batch, the last of all
        BatchLoader loader = Loader(new GeneratedDataset(23, damaged), batch: 4, workers: 3, training: false);
        Sample[][] batches = Read(loader);
        Assert.Equal([3, 3, 4, 4, 2], batches.Select(batch => batch.Length));
        Sample[][] all = Run(new GeneratedDataset(23), batch: 23, workers: 1, training: false);
        Assert.Equal(all[0].Where(sample => !damaged.Contains(sample.Index)), batches.SelectMany(batch => batch));
        Assert.Equal(damaged.Select(index => $"picture {index} is damaged."), loader.Unreadable);
    }

    [Fact]
    public void In_training_the_next_readable_sample_of_the_order_stands_in()
    {
        int[] order = new RandomSampler(20, 1).Order(5),
            damaged = [order[2], order[3], order[18], order[19]];
        Sample[][] batches = Run(new GeneratedDataset(20, damaged), batch: 5, workers: 3, training: true);
        int[] expected = [.. order];
        // the end goes on with the beginning
        (expected[2], expected[3], expected[18], expected[19]) = (order[4], order[4], order[0], order[0]);
        Assert.Equal(expected, batches.SelectMany(batch => batch).Select(sample => sample.Index));
        Assert.NotEqual(batches[0][2], batches[0][3]); // one picture, two augmentations
    }

    [Fact]
    public void What_cannot_be_read_is_tried_once()
    {
        GeneratedDataset dataset = new(20, 7);
        BatchLoader loader = Loader(dataset, batch: 20, workers: 1, training: false);
        for (int i = 0; i < 3; i++)
            Read(loader);
        Assert.Equal(20 + 19 + 19, dataset.Loads);
        Assert.Single(loader.Unreadable);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Nothing_readable_is_said_in_a_sentence(bool training)
    {
        BatchLoader loader = Loader(new GeneratedDataset(5, 0, 1, 2, 3, 4), batch: 2, workers: 2, training);
        DeitException error = Assert.Throws<DeitException>(() => Read(loader));
        Assert.Contains("none of 5 can be read", error.Message, StringComparison.Ordinal);
        Assert.Contains("is damaged", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Truncated_and_foreign_files_are_skipped()
    {
        using TemporaryFolder folder = new();
        foreach (string name in new[] { "a", "b" })
            Directory.CreateDirectory(folder[name]);
        for (int i = 0; i < 4; i++)
            ImageEncoder.SavePng(GeneratedDataset.Picture(40, 40, i), folder[$"{(i < 2 ? "a" : "b")}/{i}.png"]);
        byte[] whole = File.ReadAllBytes(folder["a/1.png"]);
        File.WriteAllBytes(folder["a/1.png"], whole[..(whole.Length / 2)]);
        File.WriteAllText(folder["b/2.png"], "no picture");
        BatchLoader loader = Loader(
            ImageFolderDataset.Open(folder.Path, "train"),
            batch: 4,
            workers: 2,
            training: false
        );
        Assert.Equal([0, 3], Read(loader).SelectMany(batch => batch).Select(sample => sample.Index));
        Assert.Equal(2, loader.Unreadable.Count);
        Assert.Contains("1.png", loader.Unreadable[0], StringComparison.Ordinal);
        Assert.Contains("2.png", loader.Unreadable[1], StringComparison.Ordinal);
    }

    [Fact]
    public void A_worker_s_exception_reaches_the_consumer()
    {
        GeneratedDataset dataset = new(40) { OnLoad = index => Fail(index == 17) };
        InvalidOperationException error = Assert.Throws<InvalidOperationException>(() =>
            Read(Loader(dataset, batch: 4, workers: 3, training: false))
        );
        Assert.Equal("a defect", error.Message);

        static void Fail(bool now)
        {
            if (now)
                throw new InvalidOperationException("a defect");
        }
    }

    [Fact]
    public void A_picture_that_cannot_be_transformed_is_named()
    {
        GeneratedDataset dataset = new(3);
        EvaluationTransform transform = new(new Preprocess { InputSize = 33, CropRatio = -1 });
        BatchLoader loader = new(
            dataset,
            new SequentialSampler(3),
            transform,
            new BatchLoaderOptions { BatchSize = 1, Workers = 1 }
        );
        Assert.StartsWith(
            "'picture 0': ",
            Assert.Throws<DeitException>(() => Read(loader)).Message,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public async Task Cancelling_ends_a_waiting_consumer()
    {
        using ManualResetEventSlim loading = new(),
            never = new();
        using CancellationTokenSource cancellation = new();
        GeneratedDataset dataset = new(8)
        {
            OnLoad = _ =>
            {
                loading.Set();
                never.Wait(TimeSpan.FromSeconds(20), CancellationToken.None);
            },
        };
        Task consumer = Task.Run(
            () => ReadUntil(Loader(dataset, batch: 4, workers: 2, training: true), 0, cancellation.Token),
            TestContext.Current.CancellationToken
        );
        Assert.True(loading.Wait(TimeSpan.FromSeconds(20), TestContext.Current.CancellationToken));
        cancellation.Cancel();
        never.Set(); // disposing waits for the picture at hand
        await Assert.ThrowsAsync<OperationCanceledException>(() => consumer);
    }

    [Fact]
    public void Workers_go_no_further_ahead_than_allowed_and_stop_when_the_loop_is_left()
    {
        GeneratedDataset dataset = new(400);
        BatchLoader loader = Loader(dataset, batch: 4, workers: 5, training: true, ahead: 3);
        using (
            IEnumerator<Batch> batches = loader
                .Epoch(0, cancellation: TestContext.Current.CancellationToken)
                .GetEnumerator()
        )
        {
            Assert.True(batches.MoveNext());
            const int Allowed = 4 * (1 + 3); // the one taken and three ahead
            Assert.True(SpinWait.SpinUntil(() => dataset.Loads == Allowed, TimeSpan.FromSeconds(20)));
            Thread.Sleep(50);
            Assert.Equal(Allowed, dataset.Loads);
        }
        int loads = dataset.Loads;
        Thread.Sleep(50);
        Assert.Equal(loads, dataset.Loads);
    }

    [Fact]
    public void Waiting_is_measured()
    {
        GeneratedDataset slow = new(4) { OnLoad = _ => Thread.Sleep(20) };
        BatchLoader loader = Loader(slow, batch: 4, workers: 1, training: true);
        Read(loader);
        Assert.InRange(loader.Waited.TotalMilliseconds, 4 * 20 * 0.9, 60_000); // sleeps may end a little early by the clock
    }

    [Fact]
    public void Arrays_are_used_again_once_a_batch_is_disposed()
    {
        HashSet<BatchMemory> arrays = [];
        foreach (
            Batch batch in Loader(new GeneratedDataset(200), batch: 4, workers: 2, training: true)
                .Epoch(0, cancellation: TestContext.Current.CancellationToken)
        )
            using (batch)
                arrays.Add(batch.Memory);
        Assert.InRange(arrays.Count, 1, 1 + 2); // the one in use and those ahead
    }

    [Fact]
    public void A_disposed_batch_is_not_read()
    {
        Batch batch = Loader(new GeneratedDataset(4), batch: 4, workers: 1, training: true)
            .Epoch(0, cancellation: TestContext.Current.CancellationToken)
            .First();
        batch.Dispose();
        batch.Dispose();
        Assert.Throws<ObjectDisposedException>(() => batch.Memory);
    }

    [Theory]
    [InlineData(0, "expected at least 1")]
    [InlineData(6, "an epoch of the training set has 5, which makes no whole batch")]
    [InlineData(1_000_000, "expected at most")]
    public void Impossible_batches_are_refused(int batch, string expected)
    {
        DeitException error = Assert.Throws<DeitException>(() =>
            Loader(new GeneratedDataset(5), batch, workers: 1, training: true)
        );
        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
    }

    private static BatchLoader Loader(IImageSplit dataset, int batch, int workers, bool training, int ahead = 2)
    {
        ISampler sampler = training ? new RandomSampler(dataset.Count, seed: 1) : new SequentialSampler(dataset.Count);
        IImageTransform transform = training
            ? new TrainTransform(Small, seed: 1)
            : new EvaluationTransform(new Preprocess { InputSize = 33 });
        return new BatchLoader(
            dataset,
            sampler,
            transform,
            new BatchLoaderOptions
            {
                BatchSize = batch,
                Workers = workers,
                Training = training,
                BatchesAhead = ahead,
            }
        );
    }

    private static Sample[][] Run(
        GeneratedDataset dataset,
        int batch,
        int workers,
        bool training,
        int firstBatch = 0,
        Func<int, bool>? takes = null
    ) => ReadUntil(Loader(dataset, batch, workers, training), firstBatch, TestContext.Current.CancellationToken, takes);

    private static Sample[][] Read(BatchLoader loader, int firstBatch = 0) =>
        ReadUntil(loader, firstBatch, TestContext.Current.CancellationToken);

    private static Sample[][] ReadUntil(
        BatchLoader loader,
        int firstBatch,
        CancellationToken cancellation,
        Func<int, bool>? takes = null
    )
    {
        List<Sample[]> batches = [];
        foreach (Batch batch in loader.Epoch(5, firstBatch, takes: takes, cancellation: cancellation))
            using (batch)
            {
                int length = batch.Images.Length / batch.Labels.Length;
                batches.Add([
                    .. Enumerable
                        .Range(0, batch.Count)
                        .Select(i => new Sample(
                            batch.Indices[i],
                            batch.Labels[i],
                            batch.Images[(i * length)..((i + 1) * length)].ToArray()
                        )),
                ]);
            }
        return [.. batches];
    }

    /// <summary>A row of a batch, equal where every bit is.</summary>
    private sealed record Sample(int Index, uint Label, float[] Pixels)
    {
        public bool Equals(Sample? other) =>
            other is not null
            && Index == other.Index
            && Label == other.Label
            && Pixels.AsSpan().SequenceEqual(other.Pixels);

        public override int GetHashCode() => Index;
    }
}
