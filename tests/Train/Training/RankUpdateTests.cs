using Deit.Gpu;
using Deit.Model;
using Deit.Tests.Gpu;
using Deit.Tests.Train.Distributed;
using Deit.Train.Distributed;
using Deit.Train.Options;
using Deit.Train.Training;

namespace Deit.Tests.Train.Training;

/// <summary>Updates that ranks make together.</summary>
public sealed class RankUpdateTests
{
    private const int Batch = 2;

    // So many ranks that the last ones have no part of the weights. An overflow halves the loss scale of all.
    [Fact]
    public async Task The_loss_scale_falls_on_ranks_without_a_part_too()
    {
        const int Ranks = 4;
        (int Part, float[] Scale)[] ranks = await ThreadWorldTests.OnEachRank(
            Ranks,
            world =>
            {
                using GpuDevice device = GpuDevice.Open(TestDevice.Current.Info);
                DeitConfig config = (DeitConfig)TinyRun.Options("data", "run").Model.Config(8);
                using INetwork network = config.Create(device);
                network.Parameters.Initialize(1);
                TrainOptions options = TinyRun.Plain(Batch);
                options = options with { Step = options.Step with { AccumSteps = Ranks } };
                using TrainStep step = new(
                    device,
                    network,
                    options,
                    precision: DType.F16,
                    sharing: new UpdateSharing(world, BucketBytes: 0, Sharded: true)
                );
                device.Write<float>(step.LossScale!, [1e38f, 0, 0, 0]);
                RankUpdate update = new(
                    network,
                    step,
                    world,
                    new MicroBatches(Ranks, [1, 1, 1, 1]),
                    GradientReduction.Ordered
                );
                float[] images = [.. Enumerable.Range(0, Batch * 3 * 32 * 32).Select(i => (i % 17) - 8f)];
                step.Submit(images, [1, 2], step: world.Rank, learningRate: 1e-3);
                update.Collect(world.Rank);
                update.Apply(Ranks - 1, learningRate: 1e-3);
                return (step.Shards!.OwnLength, device.Read<float>(step.LossScale!));
            }
        );
        Assert.Contains(ranks, rank => rank.Part == 0);
        Assert.All(ranks, rank => Assert.Equal(0.5e38f, rank.Scale[0]));
    }
}
