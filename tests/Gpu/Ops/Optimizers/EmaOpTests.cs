using Deit.Gpu;

namespace Deit.Tests.Gpu.Ops.Optimizers;

public class EmaOpTests
{
    [Theory]
    [InlineData(1, 0.5)]
    [InlineData(64 * 37, 0.99)]
    [InlineData(197, 0.99)]
    [InlineData(70_001, 0.99996)]
    public void Matches_the_oracle(int count, double decay)
    {
        float[] start = OpInput.Random([count], 1).Values,
            p = OpInput.Random([count], 2).Values;
        double[] e = Array.ConvertAll(start, v => (double)v);
        using OpRun run = new();
        Tensor average = run.Put([count], start),
            parameters = run.Put([count], p);
        Tensor state = run.Put(StepState.At(0, 0, new AdamWOptions(), emaDecay: decay));
        using Graph graph = OpRun.Record(r => r.Ema(average, parameters, state));
        for (int step = 0; step < 10; step++)
        {
            graph.Run();
            for (int i = 0; i < count; i++)
                e[i] = (decay * e[i]) + ((1 - decay) * p[i]);
        }
        // The tolerance is that of ten roundings of the average. The distance that it moved is checked too: a decay
        // kept in fp32 would be off by 1.3e-4 of that.
        float[] actual = OpRun.Device.Read<float>(average);
        Assert.InRange(OpHarness.RelativeError(e, actual), 0, 6e-7);
        double moved = actual.Zip(start, p).Sum(t => (t.First - t.Second) * (double)Math.Sign(t.Third - t.Second));
        double expected = e.Zip(start, p).Sum(t => (t.First - t.Second) * Math.Sign(t.Third - t.Second));
        Assert.Equal(expected, moved, Math.Abs(expected) * (decay > 0.999 ? 5e-5 : 1e-6));
    }

    [Fact]
    public void An_average_that_arrived_stays_put()
    {
        float[] p = OpInput.Random([113]).Values;
        using OpRun run = new();
        Tensor average = run.Put([113], p),
            parameters = run.Put([113], p),
            state = run.Put(StepState.At(0, 0, new AdamWOptions(), emaDecay: 0.9));
        OpRun.Run(r => r.Ema(average, parameters, state));
        Assert.Equal(p, OpRun.Device.Read<float>(average));
    }
}
