using Deit.Gpu;

namespace Deit.Tests.Gpu.Ops.Optimizers;

public class LossScaleOpTests
{
    // Two steps grow the scale; a step that overflows halves it, is counted, and starts the row anew.
    [Fact]
    public void Follows_the_rule_of_GradScaler()
    {
        using OpRun run = new();
        const int Count = 1030;
        Tensor gradients = run.Empty([Count]),
            state = run.Put<float>([LossScaleOp.StateElements], [8, 0, 0, 0]),
            factor = run.Empty([1]),
            apply = run.Empty([1]);
        using Graph graph = OpRun.Record(r =>
        {
            (Tensor f, Tensor a) = r.LossScale(gradients, state, new LossScaleOptions(GrowthInterval: 2));
            r.Copy(f, factor);
            r.Copy(a, apply);
        });
        (float Bad, float Factor, float Apply, float[] State)[] steps =
        [
            (0, 1 / 8f, 1, [8, 1, 0, 0]),
            (0, 1 / 8f, 1, [16, 0, 0, 0]),
            (float.PositiveInfinity, 0, 0, [8, 0, 1, 0]),
            (0, 1 / 8f, 1, [8, 1, 1, 0]),
            (float.NaN, 0, 0, [4, 0, 2, 0]),
            (float.NegativeInfinity, 0, 0, [2, 0, 3, 0]),
            (0, 1 / 2f, 1, [2, 1, 3, 0]),
            (0, 1 / 2f, 1, [4, 0, 3, 0]),
        ];
        foreach ((float bad, float expectedFactor, float expectedApply, float[] expectedState) in steps)
        {
            float[] values = OpInput.Random([Count]).Values;
            values[517] = bad;
            OpRun.Device.Write<float>(gradients, values);
            graph.Run();
            Assert.Equal(expectedFactor, OpRun.Device.Read<float>(factor)[0]);
            Assert.Equal(expectedApply, OpRun.Device.Read<float>(apply)[0]);
            Assert.Equal(expectedState, OpRun.Device.Read<float>(state));
        }
    }

    [Theory]
    [InlineData(0.5f)]
    [InlineData(1e6f)]
    public void Clips_what_is_left_without_the_scale(float maximum)
    {
        float[] values = OpInput.Random([197], scale: 1024).Values;
        double norm = Math.Sqrt(values.Sum(v => (double)v * v)) / 1024;
        using OpRun run = new();
        Tensor gradients = run.Put([197], values),
            state = run.Put<float>([LossScaleOp.StateElements], [1024, 0, 0, 0]);
        float[] factor = OpRun.Run<float>(r => r.LossScale(gradients, state, new LossScaleOptions(), maximum).Factor);
        Assert.Equal(Math.Min(1, maximum / (norm + 1e-6)) / 1024, factor[0], 1e-9);
    }

    [Fact]
    public void Refuses_a_state_of_another_length()
    {
        using OpRun run = new();
        Tensor gradients = run.Empty([64]),
            state = run.Empty([3]);
        Assert.Contains(
            "expected [4]",
            Assert
                .Throws<ArgumentException>(() => OpRun.Run(r => r.LossScale(gradients, state, new LossScaleOptions())))
                .Message
        );
    }
}
