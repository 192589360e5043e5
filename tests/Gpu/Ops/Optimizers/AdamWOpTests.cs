using Deit.Gpu;

namespace Deit.Tests.Gpu.Ops.Optimizers;

public class AdamWOpTests
{
    private const int Steps = 5;
    private static readonly AdamWOptions Options = new(Beta1: 0.8, Beta2: 0.99, Epsilon: 1e-6, WeightDecay: 0.3);

    // Five steps of about ten roundings each on parameters near 1.
    private const double Tolerance = 2e-6;

    [Theory]
    [InlineData(1, false)]
    [InlineData(7, true)]
    [InlineData(197, true)]
    [InlineData(64 * 37, false)]
    [InlineData(64 * 1093, true)]
    [InlineData(70_001, true)]
    public void Matches_the_oracle(int count, bool clipped)
    {
        double[] p = FlatUpdates.Doubles(count, 1),
            m = new double[count],
            v = new double[count];
        float[] mask = FlatUpdates.Mask(count);
        float scale = clipped ? 0.3f : 1;
        using OpRun run = new();
        Tensor parameters = run.Put([count], FlatUpdates.Floats(p)),
            gradients = run.Empty([count]),
            first = run.Put([count], new float[count]),
            second = run.Put([count], new float[count]);
        Tensor decay = run.Put([mask.Length], mask),
            state = run.Put(StepState.At(0, 0, Options)),
            clip = run.Put<float>([1], [scale]);
        using Graph graph = OpRun.Record(r =>
            r.AdamW(parameters, gradients, first, second, decay, state, Options, clipped ? clip : null)
        );
        for (int step = 0; step < Steps; step++)
        {
            double rate = 0.01 * (step + 1);
            double[] g = FlatUpdates.Doubles(count, 10 + step);
            OpRun.Device.Write<float>(gradients, FlatUpdates.Floats(g));
            OpRun.Device.Write(state, StepState.At(step, rate, Options));
            graph.Run();
            for (int i = 0; i < count; i++)
            {
                double gradient = g[i] * scale;
                p[i] *= 1 - (rate * Options.WeightDecay * mask[i / 64]);
                m[i] = (Options.Beta1 * m[i]) + ((1 - Options.Beta1) * gradient);
                v[i] = (Options.Beta2 * v[i]) + ((1 - Options.Beta2) * gradient * gradient);
                double correction1 = 1 - Math.Pow(Options.Beta1, step + 1),
                    correction2 = 1 - Math.Pow(Options.Beta2, step + 1);
                p[i] -= rate / correction1 * m[i] / ((Math.Sqrt(v[i]) / Math.Sqrt(correction2)) + Options.Epsilon);
            }
        }
        FlatUpdates.AssertClose(p, parameters, Tolerance, "parameters");
        FlatUpdates.AssertClose(m, first, Tolerance, "first moment");
        FlatUpdates.AssertClose(v, second, Tolerance, "second moment");
    }

    [Fact]
    public void A_range_longer_than_the_device_binds_is_split()
    {
        long range = OpRun.Device.Info.MaxStorageBufferRange;
        Assert.SkipWhen(range > 1L << 28, $"the device binds {range} bytes at once, more than a test should take");
        int count = (int)(range / sizeof(float)) + 70;
        using OpRun run = new();
        Tensor parameters = run.Empty([count]),
            gradients = run.Empty([count]),
            first = run.Empty([count]),
            second = run.Empty([count]);
        Tensor state = run.Put(StepState.At(0, 0.5, Options));
        // The last granule alone decays, so that a mask taken from the wrong place shows.
        int granules = (count + 63) / 64;
        Tensor decay = run.Put([granules], [.. Enumerable.Range(0, granules).Select(g => g == granules - 1 ? 1f : 0f)]);
        OpRun.Run(r =>
        {
            r.Fill(parameters, 2);
            r.Fill(gradients, 1);
            r.Fill(first, 0);
            r.Fill(second, 0);
            r.AdamW(parameters, gradients, first, second, decay, state, Options);
        });
        // A first step with gradient 1 moves by lr / (1 + epsilon).
        double undecayed = 2 - (0.5 / (1 + Options.Epsilon)),
            decayed = undecayed - (2 * 0.5 * Options.WeightDecay);
        float[] end = OpRun.Device.Read<float>(parameters.Slice(count / 64 * 64 - 128, [128 + (count % 64)]));
        Assert.All(end[..128], p => Assert.Equal(undecayed, p, 1e-6));
        Assert.All(end[128..], p => Assert.Equal(decayed, p, 1e-6));
        Assert.All(OpRun.Device.Read<float>(parameters.Slice(0, [1000])), p => Assert.Equal(undecayed, p, 1e-6));
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
            state = run.Put(StepState.At(0, 1, Options)),
            apply = run.Put<float>([1], [0]);
        float[] square = OpInput.Random([197], 4).Values;
        Tensor second = run.Put([197], square);
        OpRun.Run(r => r.AdamW(p, g, first, second, decay, state, Options, apply: apply));
        Assert.Equal(start, OpRun.Device.Read<float>(p));
        Assert.Equal(moment, OpRun.Device.Read<float>(first));
        Assert.Equal(square, OpRun.Device.Read<float>(second));
    }

    [Fact]
    public void Refuses_tensors_that_do_not_fit()
    {
        using OpRun run = new();
        Tensor p = run.Empty([65]),
            shorter = run.Empty([64]),
            mask = run.Empty([2]),
            state = run.Put(StepState.At(0, 1, Options));
        Assert.Contains(
            "same number of elements",
            Assert
                .Throws<ArgumentException>(() => OpRun.Run(r => r.AdamW(p, shorter, p, p, mask, state, Options)))
                .Message
        );
        Assert.Contains(
            "expected 2 elements",
            Assert.Throws<ArgumentException>(() => OpRun.Run(r => r.AdamW(p, p, p, p, shorter, state, Options))).Message
        );
        Assert.Contains(
            "StepState.Allocate",
            Assert.Throws<ArgumentException>(() => OpRun.Run(r => r.AdamW(p, p, p, p, mask, shorter, Options))).Message
        );
    }
}
