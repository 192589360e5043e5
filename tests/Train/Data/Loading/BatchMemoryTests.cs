using System.Diagnostics;
using Deit.Train.Data.Augmentation;
using Deit.Train.Data.Loading;

namespace Deit.Tests.Train.Data.Loading;

/// <summary>Batches that are written to memory which a device still reads for a while.</summary>
public sealed class BatchMemoryTests
{
    private const int BatchSize = 4,
        Ahead = 2;

    private static readonly TrainTransformOptions Small = new() { InputSize = 33 };

    [Fact]
    public void Memory_is_written_once_it_is_free_and_the_batches_are_those_of_arrays()
    {
        float[][] expected = Read(Loader(new GeneratedDataset(60)), memory: null);
        DeviceMemory memory = new(Ahead + 1, TimeSpan.FromMilliseconds(5));
        GeneratedDataset uneven = new(60) { OnLoad = index => Thread.Sleep(index * 31 % 4) };
        Assert.Equal(expected, Read(Loader(uneven), memory));
        Assert.False(memory.WasTouchedWhileBusy);
        Assert.Equal(0, memory.Lent);
    }

    [Fact]
    public void Dropping_an_enumerator_gives_all_memory_back()
    {
        DeviceMemory memory = new(Ahead + 1, TimeSpan.FromMilliseconds(1));
        BatchLoader loader = Loader(new GeneratedDataset(400));
        for (int epoch = 0; epoch < 5; epoch++)
        {
            foreach (
                Batch batch in loader
                    .Epoch(epoch, memory: memory, cancellation: TestContext.Current.CancellationToken)
                    .Take(epoch)
            )
                batch.Dispose();
            Assert.Equal(0, memory.Lent);
        }
    }

    [Fact]
    public void A_wait_for_the_device_is_no_wait_for_pictures()
    {
        DeviceMemory memory = new(Ahead + 1, TimeSpan.FromMilliseconds(100));
        BatchLoader loader = Loader(new GeneratedDataset(48));
        long start = Stopwatch.GetTimestamp();
        Read(loader, memory);
        TimeSpan elapsed = Stopwatch.GetElapsedTime(start);
        // Twelve batches in three places that are taken for 100 ms each: some 300 ms, in which pictures take a few.
        Assert.True(loader.Waited < elapsed / 2, $"{loader.Waited} of {elapsed}");
    }

    private static BatchLoader Loader(GeneratedDataset dataset) =>
        new(
            dataset,
            new RandomSampler(dataset.Count, seed: 1),
            new TrainTransform(Small, seed: 1),
            new BatchLoaderOptions
            {
                BatchSize = BatchSize,
                Workers = 3,
                Training = true,
                BatchesAhead = Ahead,
            }
        );

    // Images and labels of each batch.
    private static float[][] Read(BatchLoader loader, DeviceMemory? memory)
    {
        List<float[]> batches = [];
        foreach (Batch batch in loader.Epoch(5, memory: memory, cancellation: TestContext.Current.CancellationToken))
            using (batch)
                batches.Add([.. batch.Images, .. batch.Labels.ToArray().Select(label => (float)label)]);
        return [.. batches];
    }

    /// <summary>Memory that is busy for a while after it was given back, as an upload slot is.</summary>
    private sealed class DeviceMemory : IBatchMemorySource
    {
        private readonly Queue<Slot> _free = [];
        private readonly TimeSpan _busy;
        private readonly int _count;

        public DeviceMemory(int count, TimeSpan busy)
        {
            (_count, _busy) = (count, busy);
            for (int i = 0; i < count; i++)
                _free.Enqueue(new Slot(this));
        }

        public bool WasTouchedWhileBusy { get; private set; }

        public int Lent
        {
            get
            {
                lock (_free)
                    return _count - _free.Count;
            }
        }

        public BatchMemory Rent()
        {
            lock (_free)
                return _free.Dequeue();
        }

        public void Return(BatchMemory memory)
        {
            Slot slot = (Slot)memory;
            lock (_free)
            {
                slot.BusyUntil = Stopwatch.GetTimestamp() + (long)(_busy.TotalSeconds * Stopwatch.Frequency);
                _free.Enqueue(slot);
            }
        }

        private sealed class Slot(DeviceMemory owner) : BatchMemory(BatchSize)
        {
            private readonly float[] _images = new float[BatchSize * 3 * 33 * 33];
            private readonly uint[] _labels = new uint[BatchSize];

            public long BusyUntil { get; set; }

            public override Span<float> Images => Checked(_images);

            public override Span<uint> Labels => Checked(_labels);

            public override void WaitUntilFree()
            {
                while (Stopwatch.GetTimestamp() < BusyUntil)
                    Thread.Sleep(1);
            }

            private T[] Checked<T>(T[] array)
            {
                if (Stopwatch.GetTimestamp() < BusyUntil)
                    owner.WasTouchedWhileBusy = true;
                return array;
            }
        }
    }
}
