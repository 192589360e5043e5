using Deit.Train.Distributed;

namespace Deit.Tests.Train.Distributed;

public sealed class SumTreeTests
{
    // Neither a multiple of a vector's width nor of a number of ranks; five ranks have parts, the last a short one.
    private const int Length = (4 * FlatRange.Unit) + 37;

    // The definition written down once more: halves of a power of two, and what is left over added from the end.
    private static float Oracle(ReadOnlySpan<float> values)
    {
        if (values.Length == 1)
            return values[0];
        int half = 1;
        while (2 * half < values.Length)
            half *= 2;
        return Oracle(values[..half]) + Oracle(values[half..]);
    }

    private static float[][] Vectors(int count)
    {
        Random random = new(count);
        return
        [
            .. Enumerable
                .Range(0, count)
                .Select(_ =>
                    Enumerable.Range(0, Length).Select(_ => (float)Math.Exp(12 * random.NextDouble())).ToArray()
                ),
        ];
    }

    public static TheoryData<int, int[]> Teams()
    {
        TheoryData<int, int[]> teams = [];
        for (int count = 1; count <= 17; count++)
        for (int ranks = 1; ranks <= Math.Min(count, 5); ranks++)
            teams.Add(count, [.. Enumerable.Repeat(1, ranks)]);
        teams.Add(8, [3, 1]);
        teams.Add(20, [1, 3, 6]);
        return teams;
    }

    [Theory]
    [MemberData(nameof(Teams))]
    public async Task The_sum_has_the_same_bits_for_every_number_of_ranks(int count, int[] shares)
    {
        float[][] vectors = Vectors(count);
        float[] expected = [.. Enumerable.Range(0, Length).Select(i => Oracle([.. vectors.Select(v => v[i])]))];
        MicroBatches microBatches = new(count, shares);
        float[][] sums = await ThreadWorldTests.OnEachRank(
            shares.Length,
            world =>
            {
                OrderedSum sum = new(world, microBatches, Length, partOnly: false);
                float[] result = new float[Length];
                for (int round = 0; round < 2; round++) // the second has what the first left behind
                {
                    (int start, int end) = microBatches.Of(world.Rank);
                    for (int i = start; i < end; i++)
                        sum.Add(i, vectors[i]);
                    Array.Fill(result, float.NaN);
                    sum.Take(result);
                }
                return result;
            }
        );
        Assert.All(sums, sum => Assert.Equal(expected, sum));
    }

    [Fact]
    public void A_sum_in_another_order_has_other_bits()
    {
        float[][] vectors = Vectors(8);
        float[] one = [.. Enumerable.Range(0, Length).Select(i => Oracle([.. vectors.Select(v => v[i])]))],
            other = [.. Enumerable.Range(0, Length).Select(i => vectors.Aggregate(0f, (sum, v) => sum + v[i]))];
        Assert.NotEqual(one, other);
    }

    [Fact]
    public void Infinities_and_NaN_stay_visible()
    {
        SumTree tree = new(3);
        tree.Add(new SumNode(0, 0), [float.PositiveInfinity, 1, float.PositiveInfinity]);
        tree.Add(new SumNode(1, 0), [1, float.NaN, float.NegativeInfinity]);
        float[] sum = new float[3];
        tree.Take(sum);
        Assert.Equal([float.PositiveInfinity, float.NaN, float.NaN], sum);
    }

    [Fact]
    public void Every_micro_batch_belongs_to_one_rank_and_ranks_take_runs_of_neighbours()
    {
        MicroBatches microBatches = new(7, [1, 1, 1]);
        Assert.Equal([(0, 2), (2, 4), (4, 7)], Enumerable.Range(0, 3).Select(microBatches.Of));
        Assert.Equal(
            [0, 0, 1, 1, 2, 2, 2],
            Enumerable.Range(0, 7).Select(i => Enumerable.Range(0, 3).Single(r => microBatches.IsOf(r, i)))
        );
        Assert.Equal([(0, 6), (6, 8)], Enumerable.Range(0, 2).Select(new MicroBatches(8, [3, 1]).Of));
    }

    [Theory]
    [InlineData(8, new[] { 1.0, 3.0 }, new[] { 6, 2 })]
    [InlineData(8, new[] { 1.0, 1.0 }, new[] { 4, 4 })]
    [InlineData(7, new[] { 2.0, 1.0, 1.0 }, new[] { 1, 3, 3 })]
    [InlineData(3, new[] { 100.0, 1.0 }, new[] { 1, 2 })] // a slow rank keeps one
    [InlineData(2, new[] { 100.0, 1.0 }, new[] { 1, 1 })]
    public void Ranks_take_what_their_speed_allows(int count, double[] seconds, int[] taken)
    {
        MicroBatches dealt = MicroBatches.BySpeed(count, seconds);
        Assert.Equal(count, dealt.Count);
        Assert.Equal(taken, Enumerable.Range(0, taken.Length).Select(dealt.Of).Select(run => run.End - run.Start));
        Assert.Equal(0, dealt.Of(0).Start);
    }

    [Theory]
    [InlineData(2, new[] { 1, 1, 1 }, "2 micro-batches an update, which 3 ranks cannot share")]
    [InlineData(6, new[] { 3, 1 }, "6 micro-batches, which 4 does not divide")]
    public void Ranks_that_cannot_share_an_update_are_refused(int count, int[] shares, string reason) =>
        Assert.Contains(
            reason,
            Assert.Throws<DeitException>(() => new MicroBatches(count, shares)).Message,
            StringComparison.Ordinal
        );
}
