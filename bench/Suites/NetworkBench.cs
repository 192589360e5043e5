using System.Diagnostics;
using Deit.Train.Distributed;
using Deit.Train.Options;

namespace Deit.Bench.Suites;

/// <summary>
/// Measures the exchange of gradients between ranks as a training makes it, and computes from it what an update costs at
/// other numbers of ranks.
/// </summary>
internal static class NetworkBench
{
    /// <summary>The exchange of one vector.</summary>
    /// <param name="Name">What it is the gradient of.</param>
    /// <param name="Parameters">Its elements, of 4 bytes.</param>
    /// <param name="Seconds">The median time of an exchange.</param>
    /// <param name="Least">The shortest time.</param>
    /// <param name="Most">The longest time.</param>
    /// <param name="BytesSent">What a rank sends in one.</param>
    internal sealed record Exchange(
        string Name,
        long Parameters,
        double Seconds,
        double Least,
        double Most,
        long BytesSent
    );

    /// <summary>A network by two numbers.</summary>
    /// <param name="Latency">Seconds of a message without content.</param>
    /// <param name="Bandwidth">Bytes a second that a rank sends while it receives as many.</param>
    internal readonly record struct Model(double Latency, double Bandwidth)
    {
        /// <summary>
        /// Seconds of an exchange: 2 (N - 1) a + 2 (N - 1) / N S / b. Each of N ranks sends N - 1 slices to be summed, and its
        /// own sum to N - 1 others. (Thakur, Rabenseifner, Gropp, Optimization of collective communication operations in MPICH, 2005.)
        /// </summary>
        /// <param name="ranks">N.</param>
        /// <param name="bytes">S, bytes of the vector.</param>
        public double Seconds(int ranks, double bytes) =>
            (2 * (ranks - 1) * Latency) + (2.0 * (ranks - 1) / ranks * bytes / Bandwidth);

        /// <summary>The model that two measurements give.</summary>
        /// <param name="ranks">N of both.</param>
        /// <param name="small">Seconds of a vector of no size to speak of.</param>
        /// <param name="large">Seconds of a large one.</param>
        /// <param name="bytes">The bytes of the large one.</param>
        public static Model Of(int ranks, double small, double large, double bytes) =>
            new(small / (2 * (ranks - 1)), 2.0 * (ranks - 1) / ranks * bytes / Math.Max(large - small, 1e-9));
    }

    /// <summary>Measures one vector; every rank calls it with the same numbers.</summary>
    /// <param name="world">The ranks.</param>
    /// <param name="name">What it is the gradient of.</param>
    /// <param name="parameters">Elements.</param>
    /// <param name="rounds">How often; one more runs before and does not count.</param>
    /// <param name="bucketBytes">Bytes of gradients that are exchanged at once; 0 for all of them.</param>
    /// <param name="reduction">How they are summed.</param>
    public static Exchange Measure(
        World world,
        string name,
        int parameters,
        int rounds,
        long bucketBytes = 0,
        GradientReduction reduction = GradientReduction.Ordered
    )
    {
        MicroBatches microBatches = new(world.Size, [.. Enumerable.Repeat(1, world.Size)]);
        FlatRange[] buckets = FlatRange.Buckets(parameters, bucketBytes);
        GradientExchange sum = new(world, microBatches, buckets, reduction, partsOnly: false);
        float[] values = [.. Enumerable.Range(0, parameters).Select(i => (float)(i % 1000))];
        List<double> seconds = [];
        long before = world.BytesSent;
        for (int round = -1; round < rounds; round++)
        {
            foreach ((int bucket, FlatRange range) in buckets.Index())
                sum.Add(bucket, world.Rank, values.AsSpan(range.Start, range.Count));
            world.Max(0, "measuring"); // all begin together
            before = world.BytesSent;
            long start = Stopwatch.GetTimestamp();
            for (int bucket = 0; bucket < buckets.Length; bucket++)
                sum.Take(bucket);
            if (round >= 0)
                seconds.Add(Stopwatch.GetElapsedTime(start).TotalSeconds);
        }
        seconds.Sort();
        return new Exchange(
            name,
            parameters,
            seconds[seconds.Count / 2],
            seconds[0],
            seconds[^1],
            world.BytesSent - before
        );
    }
}
