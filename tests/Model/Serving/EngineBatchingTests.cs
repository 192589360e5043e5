using Deit.Gpu.Vulkan;
using Deit.Model;
using Deit.Model.Images;
using Deit.Model.Serving;
using Deit.Tests.Gpu;

namespace Deit.Tests.Model.Serving;

public sealed class EngineBatchingTests : IDisposable
{
    private const int BatchEvent = 7;
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    // The promise to callers: on this device, with the kernels it chose, an answer has the same bits in every batch.
    [Theory]
    [InlineData(EngineModels.Plain)]
    [InlineData(EngineModels.Distilled)]
    public async Task An_answer_has_the_same_bits_in_every_batch(string name)
    {
        string path = EngineModels.Write(_folder, name);
        RgbImage[] images = EngineModels.Pictures(13);
        using DeitModel alone = DeitModel.Load(path, TestDevice.Any);
        Classification[] expected = [.. images.Select(alone.Classify)];
        foreach (int batch in (int[])[2, 3, 4, 5, 8, 13])
        {
            using RecordedLog log = new();
            // A full batch goes at once, so that the long delay is only waited for by pictures that never come.
            using DeitModel model = DeitModel.Load(
                path,
                TestDevice.Any with
                {
                    MaxBatchSize = batch,
                    MaxDelay = TimeSpan.FromSeconds(10),
                    LoggerFactory = log,
                }
            );
            Task<Classification>[] answers =
            [
                .. images[..batch].Select(image => model.ClassifyAsync(image, TestContext.Current.CancellationToken)),
            ];
            for (int i = 0; i < batch; i++)
                Assert.Equal(expected[i].Scores, (await answers[i]).Scores);
            // The engine writes its log after it has answered; disposing waits for it.
            model.Dispose();
            Assert.Contains(
                $"Computed {batch} picture(s) as a batch of {batch}",
                Assert.Single(log.Of(BatchEvent)),
                StringComparison.Ordinal
            );
        }
    }

    [Theory]
    [InlineData(1, new[] { 1 })]
    [InlineData(2, new[] { 1, 2 })]
    [InlineData(5, new[] { 1, 2, 4, 5 })]
    [InlineData(8, new[] { 1, 2, 4, 8 })]
    [InlineData(256, new[] { 1, 2, 4, 8, 16, 32, 64, 128, 256 })]
    public void Batch_sizes_are_few(int most, int[] expected) => Assert.Equal(expected, LoadedModel.BatchSizes(most));

    [Fact]
    public async Task What_waits_while_the_device_computes_is_the_next_batch()
    {
        using RecordedLog log = new();
        using DeitModel model = DeitModel.Load(
            EngineModels.Write(_folder, EngineModels.Plain),
            TestDevice.Any with
            {
                LoggerFactory = log,
            }
        );
        RgbImage[] images = EngineModels.Pictures(64);
        await Task.WhenAll(images.Select(image => model.ClassifyAsync(image, TestContext.Current.CancellationToken)));
        model.Dispose();
        IReadOnlyList<string> batches = log.Of(BatchEvent);
        Assert.InRange(batches.Count, 8, 63); // 64 pictures, eight at most together, and fewer batches than pictures
    }

    [Fact]
    public async Task A_cancelled_call_leaves_the_queue_and_the_others_are_answered()
    {
        using DeitModel model = DeitModel.Load(
            EngineModels.Write(_folder, EngineModels.Plain),
            TestDevice.Any with
            {
                MaxBatchSize = 3,
                MaxDelay = TimeSpan.FromSeconds(10),
            }
        );
        RgbImage[] images = EngineModels.Pictures(4);
        using CancellationTokenSource cancel = new();
        Task<Classification> cancelled = model.ClassifyAsync(images[0], cancel.Token);
        Task<Classification> first = model.ClassifyAsync(images[1], TestContext.Current.CancellationToken);
        cancel.Cancel();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => cancelled);
        Assert.False(first.IsCompleted);
        // With two more the batch is full: the cancelled one does not count.
        Task<Classification>[] others =
        [
            .. images[2..].Select(image => model.ClassifyAsync(image, TestContext.Current.CancellationToken)),
        ];
        await Task.WhenAll([first, .. others])
            .WaitAsync(TimeSpan.FromSeconds(9), TestContext.Current.CancellationToken);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => model.ClassifyAsync(images[0], cancel.Token));
    }

    [Fact]
    public async Task Disposing_fails_what_waits_at_once_and_gives_everything_back()
    {
        long before = VulkanCalls.LiveObjects;
        DeitModel model = DeitModel.Load(
            EngineModels.Write(_folder, EngineModels.Plain),
            TestDevice.Any with
            {
                MaxDelay = TimeSpan.FromSeconds(10),
            }
        );
        Task<Classification>[] waiting =
        [
            .. EngineModels
                .Pictures(3)
                .Select(image => model.ClassifyAsync(image, TestContext.Current.CancellationToken)),
        ];
        // They are prepared on other threads: only those that wait already must fail, the others find the model disposed.
        model.Dispose();
        foreach (Task<Classification> answer in waiting)
            await Assert.ThrowsAsync<ObjectDisposedException>(() => answer);
        Assert.Throws<ObjectDisposedException>(() => model.Classify(EngineModels.Pictures(1)[0]));
        model.Dispose();
        Assert.Equal(before, VulkanCalls.LiveObjects);
    }

    [Fact]
    public async Task Disposing_amid_calls_answers_or_fails_each()
    {
        string path = EngineModels.Write(_folder, EngineModels.Plain);
        RgbImage[] images = EngineModels.Pictures(16);
        Classification[] expected;
        using (DeitModel alone = DeitModel.Load(path, TestDevice.Any))
            expected = [.. images.Select(alone.Classify)];
        DeitModel model = DeitModel.Load(path, TestDevice.Any);
        Task<Classification>[] answers = [.. images.Select(image => Task.Run(() => model.Classify(image)))];
        await answers[0];
        model.Dispose();
        for (int i = 0; i < answers.Length; i++)
            try
            {
                Assert.Equal(expected[i].Scores, (await answers[i]).Scores);
            }
            catch (ObjectDisposedException)
            {
                // It waited when the model was disposed.
            }
    }

    [Fact]
    public void Models_on_a_device_share_it()
    {
        string path = EngineModels.Write(_folder, EngineModels.Plain),
            other = EngineModels.Write(_folder, EngineModels.Distilled);
        long before = VulkanCalls.LiveObjects;
        int opened = 0;
        VulkanCalls.Fault = function =>
        {
            opened += function == nameof(VulkanCalls.CreateDevice) ? 1 : 0;
            return 0;
        };
        try
        {
            using (DeitModel first = DeitModel.Load(path, TestDevice.Any))
            {
                using (DeitModel second = DeitModel.Load(other, TestDevice.Any with { Device = first.Device.Uuid }))
                    Assert.Equal(first.Device.Uuid, second.Device.Uuid);
                Assert.Equal(first.Labels.Count, first.Classify(EngineModels.Pictures(1)[0]).Scores.Count);
                Assert.Equal(1, opened);
            }
            Assert.Equal(before, VulkanCalls.LiveObjects);
            DeitModel.Load(path, TestDevice.Any).Dispose();
            Assert.Equal(2, opened);
        }
        finally
        {
            VulkanCalls.Fault = null;
        }
    }
}
