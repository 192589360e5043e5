using Deit.Bench.Suites;
using Deit.Tests.Train.Distributed;

namespace Deit.Tests.Bench;

public sealed class RankBenchTests
{
    private static ModelBenchOptions Options =>
        new()
        {
            EmbedDim = 32,
            Depth = 2,
            NumHeads = 2,
            InputSize = 32,
            BatchSizes = [2],
            Precisions = ["fp32"],
            Seconds = 0.01,
        };

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Ranks_are_timed_beside_one_that_trains_alone(bool zero)
    {
        const int Ranks = 2;
        RankBench.Row[][] rows = await ThreadWorldTests.OnEachRank(
            Ranks,
            world => RankBench.Run(world, Options with { Ranks = new() { Zero = zero } }, _ => { }).Rows.ToArray()
        );
        RankBench.Row row = Assert.Single(rows[0]);
        Assert.Equal(2, row.Batch);
        Assert.True(row.One.Milliseconds > 0);
        // A step of one rank comes before each exchange, and the exchange within the update.
        Assert.True(row.All.Milliseconds > 0);
        Assert.InRange(row.Exchange.WaitSeconds, 0, row.Exchange.Seconds);
        Assert.InRange(row.Exchange.Seconds, 0, row.Exchange.OfSeconds);
        Assert.Equal(rows[1][0].Exchange.Updates, row.Exchange.Updates);
        int parameters = checked(
            (int)Options.Configs(cpu: true).Single().Config.Specs().Sum(spec => (spec.Shape.Elements + 63) / 64 * 64)
        );
        int part = zero
            ? Deit.Train.Distributed.FlatRange.PartLength(parameters, Ranks)
            : (parameters + Ranks - 1) / Ranks;
        // A part to be summed, and the sum of one, or the weights that it has updated.
        Assert.Equal(2 * part * sizeof(float) * row.Exchange.Updates, row.Exchange.BytesSent);
    }

    [Fact]
    public async Task The_largest_batch_that_fits_is_refused()
    {
        Exception? error = await Record.ExceptionAsync(() =>
            ThreadWorldTests.OnEachRank(1, world => RankBench.Run(world, Options with { BatchSizes = [0] }, _ => { }))
        );
        Assert.Contains("--batch-sizes has 0", Assert.IsType<DeitException>(error).Message, StringComparison.Ordinal);
    }
}
