using CsCheck;
using Deit.Gpu;

namespace Deit.Tests.Gpu.Recording;

public class MemoryPlanTests
{
    private const long Unlimited = long.MaxValue / 4;

    private static readonly Gen<MemoryPlan.Lifetime[]> Lifetimes = Gen.Select(
        Gen.Long[1, 5000],
        Gen.Int[0, 40],
        Gen.Int[0, 20],
        (bytes, first, length) => new MemoryPlan.Lifetime(bytes, first, first + length)
    ).Array[1, 60];

    [Fact]
    public void What_lives_at_the_same_time_never_overlaps() =>
        Gen.Select(Lifetimes, Gen.OneOf(5120L, 20_000L, Unlimited), Gen.OneOf(0L, 1L, 256L))
            .Sample(
                (items, limit, guard) =>
                {
                    // A guard is rounded up to the alignment, and stands on both sides.
                    limit = guard > 0 ? limit + 512 : limit;
                    MemoryPlan plan = MemoryPlan.Create(items, limit, guard);
                    long space = guard > 0 ? 256 : 0;
                    for (int i = 0; i < items.Length; i++)
                    {
                        MemoryPlan.Place place = plan.Places[i];
                        Assert.Equal(0, place.Offset % 256);
                        Assert.True(
                            place.Offset >= space
                                && place.Offset + items[i].Bytes + space <= plan.BlockBytes[place.Block]
                        );
                        for (int j = 0; j < i; j++)
                        {
                            bool alive = Enumerable
                                .Range(items[i].First, items[i].Last - items[i].First + 1)
                                .Intersect(Enumerable.Range(items[j].First, items[j].Last - items[j].First + 1))
                                .Any();
                            if ((alive || guard > 0) && plan.Places[j].Block == place.Block)
                                Assert.True(
                                    place.Offset + items[i].Bytes + space <= plan.Places[j].Offset
                                        || plan.Places[j].Offset + items[j].Bytes + space <= place.Offset,
                                    $"{items[i]} at {place} overlaps {items[j]} at {plan.Places[j]}"
                                );
                        }
                    }
                    Assert.All(plan.BlockBytes, bytes => Assert.InRange(bytes, 1, limit));
                    Assert.Equal(plan.BlockBytes.Sum(), plan.PlannedBytes);
                }
            );

    [Fact]
    public void The_live_set_is_the_largest_sum_at_one_dispatch() =>
        Lifetimes.Sample(items =>
        {
            long largest = Enumerable
                .Range(0, 61)
                .Max(time => items.Where(item => item.First <= time && time <= item.Last).Sum(item => item.Bytes));
            MemoryPlan plan = MemoryPlan.Create(items, Unlimited);
            Assert.Equal(largest, plan.LiveBytes);
            Assert.True(plan.PlannedBytes >= largest);
        });

    // Tensors of DeiT-Ti, S and B and of a batch that leaves odd sizes: each block's activations wait for its backward.
    [Theory]
    [InlineData(192, 3, 12, 1)]
    [InlineData(384, 6, 12, 7)]
    [InlineData(768, 12, 12, 32)]
    [InlineData(64, 1, 2, 3)]
    public void A_training_step_of_a_transformer_wastes_at_most_a_tenth(int width, int heads, int depth, int batch)
    {
        MemoryPlan plan = MemoryPlan.Create(Transformer(width, heads, depth, batch, training: true), Unlimited);
        Assert.InRange(plan.PlannedBytes, plan.LiveBytes, 1.1 * plan.LiveBytes);
    }

    [Theory]
    [InlineData(192, 3, 12, 1)]
    [InlineData(768, 12, 12, 32)]
    public void Inference_of_a_transformer_wastes_at_most_a_tenth(int width, int heads, int depth, int batch)
    {
        MemoryPlan.Lifetime[] items = Transformer(width, heads, depth, batch, training: false);
        MemoryPlan plan = MemoryPlan.Create(items, Unlimited);
        Assert.InRange(plan.PlannedBytes, plan.LiveBytes, 1.1 * plan.LiveBytes);
        // Depth costs nothing when nothing waits for a backward pass.
        Assert.True(plan.PlannedBytes < 3 * items.Sum(item => item.Bytes) / depth);
    }

    [Fact]
    public void The_plan_is_the_same_every_time()
    {
        MemoryPlan.Lifetime[] items = Transformer(192, 3, 12, 2, training: true);
        Assert.Equal(MemoryPlan.Create(items, Unlimited).Places, MemoryPlan.Create(items, Unlimited).Places);
    }

    [Fact]
    public void A_storage_larger_than_a_block_is_refused()
    {
        GpuException error = Assert.Throws<GpuException>(() =>
            MemoryPlan.Create([new(1000, 0, 0), new(4097, 0, 0)], 4096)
        );
        Assert.Equal(GpuErrorKind.Limit, error.Reason);
        Assert.Contains("4097 bytes", error.Message);
        Assert.Contains("lower the batch size", error.Message);
    }

    // A lifetime ends where it did or at the last dispatch before a barrier, and the largest set alive stays as large
    // as it was. Where it ended early, waiting would have taken more.
    [Fact]
    public void Lifetimes_last_to_the_next_barrier_where_that_takes_no_more() =>
        Gen.Select(Lifetimes, Gen.Bool.Array[61])
            .Sample(
                (items, barriers) =>
                {
                    MemoryPlan.Lifetime[] longer = MemoryPlan.ToBarriers(items, barriers);
                    int dispatches = items.Max(item => item.Last) + 1;
                    long largest = Enumerable.Range(0, dispatches).Max(at => Alive(items, at));
                    Assert.Equal(largest, Enumerable.Range(0, dispatches).Max(at => Alive(longer, at)));
                    for (int i = 0; i < items.Length; i++)
                    {
                        int end = items[i].Last;
                        while (end + 1 < dispatches && !barriers[end + 1])
                            end++;
                        Assert.Equal(items[i] with { Last = longer[i].Last }, longer[i]);
                        if (longer[i].Last != end)
                        {
                            Assert.Equal(items[i].Last, longer[i].Last);
                            Assert.Contains(
                                Enumerable.Range(items[i].Last + 1, end - items[i].Last),
                                at => Alive(longer, at) + items[i].Bytes > largest
                            );
                        }
                    }

                    static long Alive(MemoryPlan.Lifetime[] items, int at) =>
                        items.Where(item => item.First <= at && at <= item.Last).Sum(item => item.Bytes);
                }
            );

    [Fact]
    public void Nothing_takes_nothing() => Assert.Equal(0, MemoryPlan.Create([], Unlimited).PlannedBytes);

    // The lifetimes that a pre-norm transformer leaves: saved activations live until the backward of their block reads them.
    private static MemoryPlan.Lifetime[] Transformer(int width, int heads, int depth, int batch, bool training)
    {
        const int Tokens = 197,
            ForwardSteps = 9,
            BackwardSteps = 12;
        long row = 4L * batch * Tokens,
            stream = row * width;
        int forwardEnd = depth * ForwardSteps,
            end = forwardEnd + (depth * BackwardSteps);
        List<MemoryPlan.Lifetime> items = [];
        for (int block = 0; block < depth; block++)
        {
            int f = block * ForwardSteps,
                b = end - ((block + 1) * BackwardSteps);
            // Written at one step, read at the last of its uses: of the forward pass, or of the backward pass when training.
            void Activation(long bytes, int written, int read, int readBackward) =>
                items.Add(new MemoryPlan.Lifetime(bytes, f + written, training ? b + readBackward : f + read));
            Activation(stream, 0, 1, 9); // norm1
            Activation(row * 2, 0, 0, 10); // its statistics
            Activation(3 * stream, 1, 2, 8); // qkv
            Activation(stream, 2, 3, 7); // attention
            Activation(4L * batch * heads * Tokens, 2, 2, 8); // its log-sum-exp
            items.Add(new MemoryPlan.Lifetime(stream, f + 3, f + 4)); // projection
            Activation(stream, 4, 8, 5); // residual stream
            Activation(stream, 5, 6, 4); // norm2
            Activation(row * 2, 5, 5, 5); // its statistics
            Activation(4 * stream, 6, 7, 3); // fc1
            Activation(4 * stream, 7, 8, 1); // GELU
            Activation(stream, 8, 9, training ? 11 : 0); // residual stream of the next block
            if (!training)
                continue;
            void Gradient(long bytes, int written, int read) =>
                items.Add(new MemoryPlan.Lifetime(bytes, b + written, b + read));
            Gradient(stream, 0, 11); // of the stream, added to twice
            Gradient(4 * stream, 1, 2); // of GELU
            Gradient(4 * stream, 2, 4); // of fc1
            Gradient(stream, 4, 5); // of norm2
            Gradient(stream, 6, 7); // of the attention
            Gradient(3 * stream, 7, 9); // of qkv
            Gradient(stream, 9, 10); // of norm1
        }
        return [.. items];
    }
}
