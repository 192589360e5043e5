using Deit.Gpu;
using Deit.Model;
using Deit.Tests.Gpu;
using Deit.Tests.Train.Data;

namespace Deit.Tests.Model.Networks;

/// <summary>
/// Stochastic depth in the whole model. All weights are 0. The bias of branch j is 1 at place j of the embedding and 0
/// elsewhere. At the class token, place j then holds 0 where the branch was dropped, and its scale otherwise.
/// </summary>
public class StochasticDepthTests
{
    private const int Batch = 4000,
        Depth = 4,
        Branches = 2 * Depth;
    private const double LastRate = 0.6;
    private static readonly DeitConfig Config = new()
    {
        EmbedDim = 32,
        Depth = Depth,
        NumHeads = 2,
        PatchSize = 8,
        InputSize = 8,
        NumClasses = 32,
    };

    [Fact]
    public void The_rate_rises_along_the_blocks_and_both_branches_draw_for_themselves()
    {
        double[,] scales = Scales(training: true);
        for (int branch = 0; branch < Branches; branch++)
        {
            double rate = LastRate * (branch / 2) / (Depth - 1);
            double[] seen = [.. Enumerable.Range(0, Batch).Select(image => scales[image, branch])];
            // A quotient of sums of some hundred F32 terms: their roundings, and nothing that a wrong rate could pass for.
            Assert.All(
                seen,
                scale =>
                    Assert.True(
                        Math.Abs(scale) < 1e-4 || Math.Abs(scale - (1 / (1 - rate))) < 1e-4,
                        $"{scale} at a rate of {rate}"
                    )
            );
            int dropped = seen.Count(scale => scale < 0.5);
            if (rate == 0)
                Assert.Equal(0, dropped);
            else
                Frequencies.AssertShare(rate, dropped, Batch);
            for (int other = 2; rate > 0 && other < branch; other++)
                Frequencies.AssertUncorrelated([.. seen.Select((scale, image) => (scale, scales[image, other]))]);
        }
    }

    [Fact]
    public void Nothing_is_dropped_in_evaluation()
    {
        foreach (double scale in Scales(training: false))
            Assert.Equal(1, scale, 1e-4);
    }

    // [Batch, Branches], with the class token's first place, which block 0 never drops, as the unit.
    private static double[,] Scales(bool training)
    {
        GpuDevice device = TestDevice.Current;
        using VisionTransformer model = new(device, Config);
        for (int block = 0; block < Depth; block++)
        {
            Write($"blocks.{block}.attn.proj.bias", i => i == 2 * block ? 1 : 0);
            Write($"blocks.{block}.mlp.fc2.bias", i => i == (2 * block) + 1 ? 1 : 0);
        }
        Write("norm.weight", _ => 1);
        Write("head.weight", i => i / Config.EmbedDim == i % Config.EmbedDim ? 1 : 0);
        using OpRun run = new();
        Tensor images = run.Put([Batch, 3, 8, 8], new float[Batch * 3 * 64]),
            state = run.Put(StepState.At(3, 0, new AdamWOptions(), seed: 42));
        float[] logits = OpRun.Run<float>(r =>
            model
                .Forward(
                    r,
                    images,
                    new ForwardContext
                    {
                        Training = training,
                        DropPathRate = LastRate,
                        StepState = state,
                    }
                )
                .ClassLogits
        );
        double[,] scales = new double[Batch, Branches];
        for (int image = 0; image < Batch; image++)
        {
            // The final norm moves and scales all places alike; the last one is untouched by any branch.
            float[] row = logits[(image * Config.NumClasses)..((image + 1) * Config.NumClasses)];
            for (int branch = 0; branch < Branches; branch++)
                scales[image, branch] = (row[branch] - row[^1]) / (double)(row[0] - row[^1]);
        }
        return scales;

        void Write(string name, Func<int, float> value) =>
            device.Write<float>(
                model.Parameters[name],
                [.. Enumerable.Range(0, (int)model.Parameters[name].Elements).Select(value)]
            );
    }
}
