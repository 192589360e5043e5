using Deit.Gpu;

namespace Deit.Tests.Gpu.Ops.Optimizers;

public class SgdOpTests
{
    private const int Steps = 5;

    // Five steps of about six roundings each on parameters near 1.
    private const double Tolerance = 2e-6;

    [Theory]
    [InlineData(1, false, true)]
    [InlineData(7, true, false)]
    [InlineData(197, true, true)]
    [InlineData(64 * 37, false, false)]
    [InlineData(70_001, true, true)]
    public void Matches_the_oracle(int count, bool clipped, bool nesterov)
    {
        SgdOptions options = new(Momentum: 0.8, WeightDecay: 0.3, nesterov);
        double[] p = FlatUpdates.Doubles(count, 1),
            b = new double[count];
        float[] mask = FlatUpdates.Mask(count);
        float scale = clipped ? 0.3f : 1;
        using OpRun run = new();
        Tensor parameters = run.Put([count], FlatUpdates.Floats(p)),
            gradients = run.Empty([count]),
            momentum = run.Put([count], new float[count]);
        Tensor decay = run.Put([mask.Length], mask),
            state = run.Put(StepState.At(0, 0, new AdamWOptions())),
            clip = run.Put<float>([1], [scale]);
        using Graph graph = OpRun.Record(r =>
            r.Sgd(parameters, gradients, momentum, decay, state, options, clipped ? clip : null)
        );
        for (int step = 0; step < Steps; step++)
        {
            double rate = 0.01 * (step + 1);
            double[] g = FlatUpdates.Doubles(count, 10 + step);
            OpRun.Device.Write<float>(gradients, FlatUpdates.Floats(g));
            OpRun.Device.Write(state, StepState.At(step, rate, new AdamWOptions()));
            graph.Run();
            for (int i = 0; i < count; i++)
            {
                double gradient = (g[i] * scale) + (options.WeightDecay * mask[i / 64] * p[i]);
                b[i] = (options.Momentum * b[i]) + gradient;
                p[i] -= rate * (nesterov ? gradient + (options.Momentum * b[i]) : b[i]);
            }
        }
        FlatUpdates.AssertClose(p, parameters, Tolerance, "parameters");
        FlatUpdates.AssertClose(b, momentum, Tolerance, "momentum");
    }

    // Gradients that overflowed are not even looked at.
    [Fact]
    public void An_update_that_is_skipped_leaves_everything_as_it_is()
    {
        float[] start = OpInput.Random([197], 1).Values,
            moment = OpInput.Random([197], 2).Values;
        using OpRun run = new();
        Tensor p = run.Put([197], start),
            g = run.Put([197], FlatUpdates.NaNs(197)),
            first = run.Put([197], moment),
            decay = run.Put<float>([4], [1, 1, 1, 1]),
            state = run.Put(StepState.At(0, 1, new AdamWOptions())),
            apply = run.Put<float>([1], [0]);
        OpRun.Run(r => r.Sgd(p, g, first, decay, state, new SgdOptions(), apply: apply));
        Assert.Equal(start, OpRun.Device.Read<float>(p));
        Assert.Equal(moment, OpRun.Device.Read<float>(first));
    }

    [Fact]
    public void Refuses_tensors_that_do_not_fit()
    {
        using OpRun run = new();
        Tensor p = run.Empty([65]),
            shorter = run.Empty([64]),
            mask = run.Empty([2]),
            state = run.Put(StepState.At(0, 1, new AdamWOptions()));
        Assert.Contains(
            "same number of elements",
            Assert
                .Throws<ArgumentException>(() => OpRun.Run(r => r.Sgd(p, shorter, p, mask, state, new SgdOptions())))
                .Message
        );
        Assert.Contains(
            "expected 2 elements",
            Assert
                .Throws<ArgumentException>(() => OpRun.Run(r => r.Sgd(p, p, p, shorter, state, new SgdOptions())))
                .Message
        );
        Assert.Contains(
            "StepState.Allocate",
            Assert
                .Throws<ArgumentException>(() => OpRun.Run(r => r.Sgd(p, p, p, mask, shorter, new SgdOptions())))
                .Message
        );
    }
}
