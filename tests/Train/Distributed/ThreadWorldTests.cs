using Deit.Train.Distributed;

namespace Deit.Tests.Train.Distributed;

public sealed class ThreadWorldTests
{
    /// <summary>Runs the same on every rank of a new world, each on a thread of its own.</summary>
    internal static async Task<T[]> OnEachRank<T>(int size, Func<World, T> work, TimeSpan? timeout = null) =>
        await Task.WhenAll(
            ThreadWorld
                .Create(size, timeout ?? TimeSpan.FromSeconds(60))
                .Select(world => Task.Factory.StartNew(() => work(world), TaskCreationOptions.LongRunning))
        );

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(5)]
    public async Task Every_rank_gets_what_the_others_have(int size)
    {
        var results = await OnEachRank(
            size,
            world =>
            {
                int[] send = [.. Enumerable.Range(0, 3 * size).Select(i => (100 * world.Rank) + i)],
                    received = new int[3 * size],
                    all = new int[2 * size],
                    one = world.IsFirst ? [41, 42] : [0, 0];
                world.AllToAll<int>(send, received, "testing");
                world.AllGather<int>([world.Rank, -world.Rank], all, "testing");
                world.Broadcast<int>(one, "testing");
                byte[][] lists = world.GatherLists<byte>(new byte[world.Rank], "testing");
                return (
                    received,
                    all,
                    one,
                    lists: lists.Select(list => list.Length).ToArray(),
                    texts: world.GatherTexts($"rank {world.Rank}: ä", "testing"),
                    text: world.BroadcastText(world.IsFirst ? "zero" : null, "testing"),
                    max: world.Max(-3 + world.Rank, "testing")
                );
            }
        );
        for (int rank = 0; rank < size; rank++)
        {
            var result = results[rank];
            Assert.Equal(
                Enumerable
                    .Range(0, size)
                    .SelectMany(from => Enumerable.Range(0, 3).Select(i => (100 * from) + (3 * rank) + i)),
                result.received
            );
            Assert.Equal(Enumerable.Range(0, size).SelectMany(from => (int[])[from, -from]), result.all);
            Assert.Equal([41, 42], result.one);
            Assert.Equal(Enumerable.Range(0, size), result.lists);
            Assert.Equal(Enumerable.Range(0, size).Select(from => $"rank {from}: ä"), result.texts);
            Assert.Equal("zero", result.text);
            Assert.Equal(size - 4, result.max);
        }
    }

    [Fact]
    public async Task A_rank_that_does_not_come_is_named()
    {
        string[] messages = await OnEachRank(
            3,
            world =>
                world.Rank == 1 ? "" : Assert.Throws<DeitException>(() => world.Max(0, "exchanging gradients")).Message,
            TimeSpan.FromSeconds(0.3)
        );
        Assert.Contains("waited 0.3 s for rank 1 while exchanging gradients", messages[0], StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_rank_that_ends_ends_all_at_once()
    {
        string[] messages = await OnEachRank(
            3,
            world =>
            {
                if (world.Rank == 2)
                {
                    world.Abort("its disk is full.", 1);
                    return "";
                }
                return Assert.Throws<DeitException>(() => world.Max(0, "exchanging gradients")).Message;
            }
        );
        Assert.Equal("Rank 2 of 3 ended: its disk is full.", messages[0]);
        Assert.Equal(messages[0], messages[1]);
    }

    [Fact]
    public void Sizes_that_do_not_fit_are_refused_before_anybody_waits()
    {
        World world = ThreadWorld.Create(2)[0];
        Assert.Throws<ArgumentException>(() => world.AllToAll<int>([1, 2, 3], new int[3], "testing"));
        Assert.Throws<ArgumentException>(() => world.AllGather<int>([1], new int[3], "testing"));
    }
}
