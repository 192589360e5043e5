using Deit.Gpu;

namespace Deit.Tests.Gpu;

public sealed class PhiloxTests
{
    // The known answers that Random123, the authors' library, publishes for philox4x32 with 10 rounds.
    [Theory]
    [InlineData(
        0x00000000,
        0x00000000,
        0x00000000,
        0x00000000,
        0x00000000,
        0x00000000,
        0x6627e8d5,
        0xe169c58d,
        0xbc57ac4c,
        0x9b00dbd8
    )]
    [InlineData(
        0xffffffff,
        0xffffffff,
        0xffffffff,
        0xffffffff,
        0xffffffff,
        0xffffffff,
        0x408f276d,
        0x41c83b0e,
        0xa20bc7c6,
        0x6d5451fd
    )]
    [InlineData(
        0x243f6a88,
        0x85a308d3,
        0x13198a2e,
        0x03707344,
        0xa4093822,
        0x299f31d0,
        0xd16cfe09,
        0x94fdcceb,
        0x5001e420,
        0x24126ea1
    )]
    public void Known_answers(uint c0, uint c1, uint c2, uint c3, uint k0, uint k1, uint x, uint y, uint z, uint w)
    {
        Assert.Equal(
            (x, y, z, w),
            Philox.Next(((ulong)k1 << 32) | k0, step: c2, site: c3, element: ((ulong)c1 << 32) | c0)
        );
    }

    [Fact]
    public void A_stream_is_the_blocks_of_its_element_one_after_the_other()
    {
        RandomStream stream = new(seed: 0x1122334455667788, epoch: 5, site: 7, element: 11);
        for (ulong block = 0; block < 3; block++)
        {
            (uint x, uint y, uint z, uint w) = Philox.Next(0x1122334455667788, 5, 7, 11 | (block << 40));
            Assert.Equal(
                [x, y, z, w],
                new[] { stream.NextUInt32(), stream.NextUInt32(), stream.NextUInt32(), stream.NextUInt32() }
            );
        }
    }

    [Fact]
    public void Streams_that_differ_in_one_argument_differ()
    {
        uint[] first =
        [
            new RandomStream(1, 2, 3, 4).NextUInt32(),
            new RandomStream(0, 2, 3, 4).NextUInt32(),
            new RandomStream(1, 0, 3, 4).NextUInt32(),
            new RandomStream(1, 2, 0, 4).NextUInt32(),
            new RandomStream(1, 2, 3, 0).NextUInt32(),
            new RandomStream(1ul << 40, 2, 3, 4).NextUInt32(),
        ];
        Assert.Equal(first.Length, first.Distinct().Count());
    }

    // Tolerances: five standard errors of a mean over n draws; the seed is fixed, so the test either always passes or never.
    [Fact]
    public void Uniform_and_normal_numbers_have_their_moments()
    {
        const int Draws = 100_000;
        RandomStream stream = new(9, 0, 0, 0);
        double uniform = 0,
            uniformSquares = 0,
            normal = 0,
            normalSquares = 0,
            normalFourths = 0;
        for (int i = 0; i < Draws; i++)
        {
            double u = stream.NextDouble(),
                n = stream.NextNormal();
            float f = stream.NextSingle();
            Assert.InRange(u, 0, 1 - double.Epsilon);
            Assert.InRange(f, 0, 0.99999994f);
            uniform += (u + f) / 2;
            uniformSquares += u * u;
            normal += n;
            normalSquares += n * n;
            normalFourths += n * n * n * n;
        }
        double unit = 5 / Math.Sqrt(Draws);
        Assert.Equal(0.5, uniform / Draws, unit * Math.Sqrt(1 / 24.0)); // variance of the mean of two uniforms
        Assert.Equal(1 / 3.0, uniformSquares / Draws, unit * Math.Sqrt(4 / 45.0));
        Assert.Equal(0, normal / Draws, unit);
        Assert.Equal(1, normalSquares / Draws, unit * Math.Sqrt(2));
        Assert.Equal(3, normalFourths / Draws, unit * Math.Sqrt(96)); // E n^8 - 9 = 105 - 9
    }

    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(37)]
    public void Bounded_integers_are_equally_likely(int bound)
    {
        const int Draws = 50_000;
        RandomStream stream = new(3, 1, 4, (ulong)bound);
        int[] counts = new int[bound];
        for (int i = 0; i < Draws; i++)
            counts[stream.NextInt(bound)]++;
        // Chi-squared with bound - 1 degrees of freedom: mean bound - 1, variance 2 (bound - 1); five deviations.
        double expected = (double)Draws / bound,
            statistic = counts.Sum(count => (count - expected) * (count - expected) / expected);
        Assert.InRange(statistic, 0, bound - 1 + (5 * Math.Sqrt(2.0 * (bound - 1))) + 1e-9);
    }

    // With a bound of 3 * 2^29 a product's high word alone would give a third of the integers twice the chance of others.
    [Fact]
    public void Large_bounds_are_not_biased()
    {
        const int Draws = 30_000,
            Bound = 3 << 29;
        RandomStream stream = new(5, 0, 0, 0);
        int[] remainders = new int[3];
        for (int i = 0; i < Draws; i++)
            remainders[stream.NextInt(Bound) % 3]++;
        double deviation = Math.Sqrt(Draws * (1 / 3.0) * (2 / 3.0));
        Assert.All(remainders, count => Assert.Equal(Draws / 3.0, count, 5 * deviation));
        Assert.Throws<ArgumentOutOfRangeException>(() => new RandomStream(0, 0, 0, 0).NextInt(0));
    }

    [Fact]
    public void Every_order_of_a_shuffle_is_equally_likely()
    {
        const int Draws = 24_000;
        Dictionary<string, int> counts = [];
        for (ulong i = 0; i < Draws; i++)
        {
            char[] letters = ['a', 'b', 'c', 'd'];
            new RandomStream(1, 0, 0, i).Shuffle(letters.AsSpan());
            string order = new(letters);
            counts[order] = counts.GetValueOrDefault(order) + 1;
        }
        Assert.Equal(24, counts.Count);
        double statistic = counts.Values.Sum(count => (count - 1000.0) * (count - 1000) / 1000);
        Assert.InRange(statistic, 0, 23 + (5 * Math.Sqrt(46)));
    }
}
