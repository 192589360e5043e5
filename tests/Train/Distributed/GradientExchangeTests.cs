using Deit.Train.Distributed;
using Deit.Train.Options;

namespace Deit.Tests.Train.Distributed;

/// <summary>How gradients are cut, summed in other ways than the ordered one, and divided among ranks.</summary>
public sealed class GradientExchangeTests
{
    private const int Length = (9 * FlatRange.Unit) + 192;

    private static MicroBatches OneEach(int ranks) => new(ranks, [.. Enumerable.Repeat(1, ranks)]);

    private static float[] Vector(int seed, int length = Length)
    {
        Random random = new(seed);
        return [.. Enumerable.Range(0, length).Select(_ => (float)(Math.Exp(8 * random.NextDouble()) - 50))];
    }

    [Theory]
    [InlineData(64, 0)]
    [InlineData(64, 100_000)]
    [InlineData(Length, 0)]
    [InlineData(Length, 16_384)]
    [InlineData(Length, 40_000)]
    [InlineData(Length, 1)] // no bucket is smaller than a unit
    [InlineData(5_717_416, 4_000_000)]
    public void Buckets_and_parts_cover_the_vector_once(int length, long bytes)
    {
        FlatRange[] buckets = FlatRange.Buckets(length, bytes);
        Assert.Equal(length, buckets[0].End);
        Assert.Equal(0, buckets[^1].Start);
        for (int i = 1; i < buckets.Length; i++)
            Assert.Equal(buckets[i - 1].Start, buckets[i].End);
        Assert.All(buckets, bucket => Assert.Equal(0, bucket.Start % FlatRange.Unit));
        if (buckets.Length > 1)
            Assert.All(buckets, bucket => Assert.True(bucket.Count * 4L > bytes - (8 * FlatRange.Unit)));
        foreach (int ranks in (int[])[1, 2, 3, 7])
        foreach (FlatRange bucket in buckets)
        {
            FlatRange[] parts = [.. Enumerable.Range(0, ranks).Select(rank => bucket.PartOf(rank, ranks))];
            Assert.Equal(bucket.Start, parts[0].Start);
            Assert.Equal(bucket.Count, parts.Sum(part => part.Count));
            for (int rank = 1; rank < ranks; rank++)
                Assert.Equal(parts[rank - 1].End, parts[rank].Start);
            Assert.All(parts.Where(part => part.Count > 0), part => Assert.Equal(0, part.Start % FlatRange.Unit));
            Assert.All(parts, part => Assert.InRange(part.Count, 0, FlatRange.PartLength(bucket.Count, ranks)));
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task Buckets_do_not_change_the_bits_of_an_ordered_sum(int ranks)
    {
        float[][] vectors = [.. Enumerable.Range(0, ranks).Select(rank => Vector(rank))];
        float[][] whole = await Sums(ranks, vectors, bytes: 0, GradientReduction.Ordered),
            cut = await Sums(ranks, vectors, bytes: 20_000, GradientReduction.Ordered);
        Assert.All(cut, sum => Assert.Equal(whole[0], sum));
    }

    [Theory]
    [InlineData(nameof(GradientReduction.Ordered))]
    [InlineData(nameof(GradientReduction.Bf16))]
    [InlineData(nameof(GradientReduction.Native))]
    public async Task A_rank_that_needs_its_parts_gets_what_the_whole_sum_has_there(string name)
    {
        const int Ranks = 3;
        GradientReduction reduction = Enum.Parse<GradientReduction>(name);
        float[][] vectors = [.. Enumerable.Range(0, Ranks).Select(rank => Vector(rank))];
        float[][] whole = await Sums(Ranks, vectors, bytes: 20_000, reduction),
            parts = await Sums(Ranks, vectors, bytes: 20_000, reduction, partsOnly: true);
        for (int rank = 0; rank < Ranks; rank++)
            foreach (FlatRange bucket in FlatRange.Buckets(Length, 20_000))
            {
                FlatRange part = bucket.PartOf(rank, Ranks);
                for (int i = part.Start; i < part.End; i++)
                    // A part is not rounded on its way to others.
                    Assert.Equal(
                        whole[rank][i],
                        reduction == GradientReduction.Bf16
                            ? RoundedSum.Widened(RoundedSum.Rounded(parts[rank][i]))
                            : parts[rank][i]
                    );
            }
    }

    [Fact]
    public async Task The_sum_of_the_carrier_is_that_of_all_ranks()
    {
        float[][] vectors = [.. Enumerable.Range(0, 3).Select(rank => Vector(rank))];
        float[][] sums = await Sums(3, vectors, bytes: 0, GradientReduction.Native);
        for (int i = 0; i < Length; i++)
        {
            double expected = vectors.Sum(vector => (double)vector[i]),
                magnitude = vectors.Sum(vector => Math.Abs((double)vector[i]));
            // Two additions, each off by half a unit in the last place.
            Assert.InRange(sums[0][i], expected - (magnitude * 1.3e-7), expected + (magnitude * 1.3e-7));
        }
        Assert.All(sums, sum => Assert.Equal(sums[0], sum));
    }

    // The definition once more: the nearest of all numbers with the upper 16 bits, of two the one whose last bit is 0.
    [Fact]
    public void A_float_becomes_the_nearest_bfloat16()
    {
        Random random = new(5);
        uint[] bits =
        [
            .. Enumerable.Range(0, 20_000).Select(_ => (uint)random.NextInt64(0, 1L << 32)),
            0,
            0x8000_0000,
            0x3F80_8000, // half way between two, the lower even
            0x3F81_8000, // half way, the upper even
            0x3F80_8001,
            0x3F80_7FFF,
            0x0000_0001,
            0x7F7F_FFFF, // rounds to infinity
            0x7F80_0000,
        ];
        foreach (uint one in bits)
        {
            float value = BitConverter.UInt32BitsToSingle(one);
            float rounded = RoundedSum.Widened(RoundedSum.Rounded(value));
            if (float.IsNaN(value))
            {
                Assert.True(float.IsNaN(rounded));
                continue;
            }
            uint below = one & 0xFFFF_0000; // towards zero
            double low = BitConverter.UInt32BitsToSingle(below),
                high = below + 0x1_0000 is 0x7F80_0000 or 0xFF80_0000
                    ? Math.CopySign(Math.ScaleB(1, 128), value) // where the next number would be
                    : BitConverter.UInt32BitsToSingle(below + 0x1_0000),
                toLow = Math.Abs(value - low),
                toHigh = Math.Abs(high - value);
            bool up = toHigh < toLow || (toHigh == toLow && (below & 0x1_0000) != 0);
            float expected = float.IsInfinity(value) || !up ? (float)low : (float)high;
            Assert.Equal(BitConverter.SingleToUInt32Bits(expected), BitConverter.SingleToUInt32Bits(rounded));
        }
    }

    [Fact]
    public async Task What_rounding_takes_from_a_gradient_comes_with_later_ones()
    {
        const int Ranks = 2,
            Updates = 64;
        float[][] vectors = [.. Enumerable.Range(0, Ranks).Select(rank => Vector(rank))];
        double[][] totals = await ThreadWorldTests.OnEachRank(
            Ranks,
            world =>
            {
                GradientExchange exchange = new(
                    world,
                    OneEach(Ranks),
                    FlatRange.Buckets(Length, 20_000),
                    GradientReduction.Bf16,
                    partsOnly: false
                );
                double[] total = new double[Length];
                for (int update = 0; update < Updates; update++)
                {
                    Take(exchange, world.Rank, vectors[world.Rank]);
                    for (int i = 0; i < Length; i++)
                        total[i] += exchange.Sum[i];
                }
                return total;
            }
        );
        for (int i = 0; i < Length; i++)
        {
            double exact = Updates * (vectors[0][i] + (double)vectors[1][i]),
                magnitude = Math.Abs(vectors[0][i]) + Math.Abs(vectors[1][i]);
            // Each of three roundings keeps at most half a unit of 8 bits back, and never more however many updates
            // there were; the values themselves have up to 1.01 times the magnitude.
            Assert.InRange(totals[0][i], exact - (magnitude * 2.1 / 256), exact + (magnitude * 2.1 / 256));
        }
        // Without the errors each update would be off by as much, so that this test would see it.
        Assert.Contains(
            Enumerable.Range(0, Length),
            i =>
            {
                double rounded = vectors.Sum(vector => RoundedSum.Widened(RoundedSum.Rounded(vector[i])));
                double magnitude = Math.Abs(vectors[0][i]) + Math.Abs(vectors[1][i]);
                return Updates * Math.Abs(rounded - vectors[0][i] - vectors[1][i]) > magnitude * 2.1 / 256;
            }
        );
    }

    [Fact]
    public async Task An_infinite_gradient_is_seen_once_and_leaves_nothing_behind()
    {
        float[] values = Vector(1, FlatRange.Unit);
        float[][][] sums = await ThreadWorldTests.OnEachRank(
            2,
            world =>
            {
                GradientExchange exchange = new(
                    world,
                    OneEach(2),
                    FlatRange.Buckets(values.Length, 0),
                    GradientReduction.Bf16,
                    partsOnly: false
                );
                float[] broken = [.. values];
                broken[3] = world.IsFirst ? float.PositiveInfinity : float.NaN;
                Take(exchange, world.Rank, broken);
                float[] first = [.. exchange.Sum];
                Take(exchange, world.Rank, values);
                return new[] { first, exchange.Sum };
            }
        );
        Assert.False(float.IsFinite(sums[0][0][3]));
        Assert.True(float.IsFinite(sums[0][1][3]));
        Assert.Equal(2 * values[3], sums[0][1][3], Math.Abs(values[3]) / 64);
    }

    [Fact]
    public async Task Ranks_gather_what_each_of_them_keeps()
    {
        FlatRange[] buckets = FlatRange.Buckets(Length, 20_000);
        float[] whole = Vector(1);
        (int Own, float[] Whole)[] gathered = await ThreadWorldTests.OnEachRank(
            3,
            world =>
            {
                Shards shards = new(world, buckets);
                float[] own = shards.OwnOf(whole),
                    all = new float[Length];
                for (int round = 0; round < 2; round++) // the second has what the first left behind
                    shards.Gather(own, all, "testing");
                return (own.Length, all);
            }
        );
        Assert.All(gathered, rank => Assert.Equal(whole, rank.Whole));
        Assert.Equal(Length, gathered.Sum(rank => rank.Own));
        Assert.All(gathered, rank => Assert.InRange(rank.Own, 0, Length - 1));
    }

    private static Task<float[][]> Sums(
        int ranks,
        float[][] vectors,
        long bytes,
        GradientReduction reduction,
        bool partsOnly = false
    ) =>
        ThreadWorldTests.OnEachRank(
            ranks,
            world =>
            {
                GradientExchange exchange = new(
                    world,
                    OneEach(ranks),
                    FlatRange.Buckets(Length, bytes),
                    reduction,
                    partsOnly
                );
                Take(exchange, world.Rank, vectors[world.Rank]);
                return exchange.Sum;
            }
        );

    private static void Take(GradientExchange exchange, int microBatch, float[] vector)
    {
        Array.Fill(exchange.Sum, float.NaN);
        for (int bucket = 0; bucket < exchange.Buckets.Count; bucket++)
        {
            FlatRange range = exchange.Buckets[bucket];
            exchange.Add(bucket, microBatch, vector.AsSpan(range.Start, range.Count));
            exchange.Take(bucket);
        }
    }
}
