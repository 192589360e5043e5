using Deit.Gpu;

namespace Deit.Tests.Gpu.Ops.Optimizers;

public class LionOpTests
{
    private const int Steps = 5;
    private static readonly LionOptions Options = new(Beta1: 0.8, Beta2: 0.95, WeightDecay: 0.3);

    // Five steps of about five roundings of 6e-8 each on parameters near 1.
    private const double Tolerance = 1e-6;

    [Theory]
    [InlineData(1, false)]
    [InlineData(7, true)]
    [InlineData(197, true)]
    [InlineData(64 * 37, false)]
    [InlineData(70_001, true)]
    public void Matches_the_oracle(int count, bool clipped)
    {
        double[] p = FlatUpdates.Doubles(count, 1),
            m = new double[count];
        float[] mask = FlatUpdates.Mask(count);
        float scale = clipped ? 0.3f : 1;
        using OpRun run = new();
        Tensor parameters = run.Put([count], FlatUpdates.Floats(p)),
            gradients = run.Empty([count]),
            momentum = run.Put([count], new float[count]),
            decay = run.Put([mask.Length], mask),
            state = run.Put(StepState.At(0, 0, 0, 0)),
            clip = run.Put<float>([1], [scale]);
        using Graph graph = OpRun.Record(r =>
            r.Lion(parameters, gradients, momentum, decay, state, Options, clipped ? clip : null)
        );
        for (int step = 0; step < Steps; step++)
        {
            double rate = 0.01 * (step + 1);
            double[] g = FlatUpdates.Doubles(count, 10 + step);
            OpRun.Device.Write<float>(gradients, FlatUpdates.Floats(g));
            OpRun.Device.Write(state, StepState.At(step, rate, 0, 0));
            graph.Run();
            for (int i = 0; i < count; i++)
            {
                double gradient = g[i] * scale;
                int direction = Math.Sign((Options.Beta1 * m[i]) + ((1 - Options.Beta1) * gradient));
                p[i] -= rate * (direction + (Options.WeightDecay * mask[i / 64] * p[i]));
                m[i] = (Options.Beta2 * m[i]) + ((1 - Options.Beta2) * gradient);
            }
        }
        FlatUpdates.AssertClose(p, parameters, Tolerance, "parameters");
        FlatUpdates.AssertClose(m, momentum, Tolerance, "momentum");
    }

    // A frozen parameter has neither gradient nor decay, and lies beside one that has both.
    [Fact]
    public void A_parameter_without_gradient_and_decay_stays_as_it_is()
    {
        float[] start = OpInput.Random([128], 1).Values;
        using OpRun run = new();
        Tensor p = run.Put([128], start),
            g = run.Put([128], [.. new float[64], .. OpInput.Random([64], 2).Values]),
            m = run.Put([128], new float[128]),
            decay = run.Put<float>([2], [0, 1]),
            state = run.Put(StepState.At(0, 0.1, 0, 0));
        OpRun.Run(r => r.Lion(p, g, m, decay, state, Options));
        float[] end = OpRun.Device.Read<float>(p);
        Assert.Equal(start[..64], end[..64]);
        Assert.All(Enumerable.Range(64, 64), i => Assert.NotEqual(start[i], end[i]));
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
            m = run.Put([197], moment),
            decay = run.Put<float>([4], [1, 1, 1, 1]),
            state = run.Put(StepState.At(0, 1, 0, 0)),
            apply = run.Put<float>([1], [0]);
        OpRun.Run(r => r.Lion(p, g, m, decay, state, Options, apply: apply));
        Assert.Equal(start, OpRun.Device.Read<float>(p));
        Assert.Equal(moment, OpRun.Device.Read<float>(m));
    }

    [Fact]
    public void Writes_nothing_else_and_replays_bit_by_bit() =>
        FlatUpdates.AssertGuardsAndReplay(
            moments: 1,
            (r, p, g, m, decay, _, state) => r.Lion(p, g, m[0], decay, state, Options)
        );

    [Fact]
    public void Refuses_tensors_that_do_not_fit()
    {
        using OpRun run = new();
        Tensor p = run.Empty([65]),
            shorter = run.Empty([64]),
            mask = run.Empty([2]),
            state = run.Put(StepState.At(0, 1, 0, 0));
        Assert.Contains("same number of elements", Refused(r => r.Lion(p, shorter, p, mask, state, Options)));
        Assert.Contains("same number of elements", Refused(r => r.Lion(p, p, shorter, mask, state, Options)));
        Assert.Contains("expected 2 elements", Refused(r => r.Lion(p, p, p, shorter, state, Options)));
        Assert.Contains("StepState.Allocate", Refused(r => r.Lion(p, p, p, mask, shorter, Options)));

        static string Refused(Action<Recorder> op) => Assert.Throws<ArgumentException>(() => OpRun.Run(op)).Message;
    }
}
