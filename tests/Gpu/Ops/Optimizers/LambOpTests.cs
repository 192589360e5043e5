using Deit.Gpu;

namespace Deit.Tests.Gpu.Ops.Optimizers;

public class LambOpTests
{
    private const int Steps = 5;
    private static readonly LambOptions Options = new(Beta1: 0.8, Beta2: 0.99, Epsilon: 1e-3, WeightDecay: 0.3);

    // Five steps of about fifteen roundings of 6e-8 each on parameters near 1; the sums of squares have more terms,
    // whose roundings are independent.
    private const double Tolerance = 1e-6;

    // Parameter tensors of so many granules, which decay wholly, not at all or by half.
    [Theory]
    [InlineData(false, 0.3, 1)]
    [InlineData(true, 0.3, 1, 2, 1)]
    [InlineData(true, 0.3, 3, 1, 40, 2, 700, 1)]
    [InlineData(false, 0, 3, 1, 40)]
    public void Matches_the_oracle(bool clipped, double weightDecay, params int[] granules)
    {
        LambOptions options = Options with { WeightDecay = weightDecay };
        float scale = clipped ? 0.3f : 1;
        uint[] segments = [.. granules.SelectMany((length, i) => Enumerable.Repeat((uint)i, length))];
        float[] mask =
        [
            .. segments.Select(segment =>
                segment % 3 == 1 ? 0f
                : segment % 3 == 0 ? 1f
                : 0.5f
            ),
        ];
        int count = (64 * segments.Length) - 7; // the last granule is not whole
        double[] p = FlatUpdates.Doubles(count, 1),
            m = new double[count],
            v = new double[count];
        using OpRun run = new();
        Tensor parameters = run.Put([count], FlatUpdates.Floats(p)),
            gradients = run.Empty([count]),
            first = run.Put([count], new float[count]),
            second = run.Put([count], new float[count]),
            decay = run.Put([mask.Length], mask),
            indices = run.Put([segments.Length], segments, DType.U32),
            state = run.Put(StepState.At(0, 0, options.Beta1, options.Beta2)),
            clip = run.Put<float>([1], [scale]);
        using Graph graph = OpRun.Record(r =>
            r.Lamb(
                parameters,
                gradients,
                first,
                second,
                decay,
                indices,
                granules.Length,
                state,
                options,
                clipped ? clip : null
            )
        );
        for (int step = 0; step < Steps; step++)
        {
            double rate = 0.01 * (step + 1);
            double[] g = FlatUpdates.Doubles(count, 10 + step);
            OpRun.Device.Write<float>(gradients, FlatUpdates.Floats(g));
            OpRun.Device.Write(state, StepState.At(step, rate, options.Beta1, options.Beta2));
            graph.Run();
            Oracle(p, [.. g.Select(value => value * scale)], m, v, mask, segments, step + 1, rate, options);
        }
        FlatUpdates.AssertClose(p, parameters, Tolerance, "parameters");
        FlatUpdates.AssertClose(m, first, Tolerance, "first moment");
        FlatUpdates.AssertClose(v, second, Tolerance, "second moment");
    }

    private static void Oracle(
        double[] p,
        double[] g,
        double[] m,
        double[] v,
        float[] mask,
        uint[] segments,
        int t,
        double rate,
        LambOptions options
    )
    {
        double[] u = new double[p.Length];
        for (int i = 0; i < p.Length; i++)
        {
            m[i] = (options.Beta1 * m[i]) + ((1 - options.Beta1) * g[i]);
            v[i] = (options.Beta2 * v[i]) + ((1 - options.Beta2) * g[i] * g[i]);
            double corrected = m[i] / (1 - Math.Pow(options.Beta1, t)),
                root = Math.Sqrt(v[i] / (1 - Math.Pow(options.Beta2, t)));
            u[i] = (corrected / (root + options.Epsilon)) + (options.WeightDecay * mask[i / 64] * p[i]);
        }
        foreach (IGrouping<uint, int> tensor in Enumerable.Range(0, p.Length).GroupBy(i => segments[i / 64]))
        {
            double norm = Math.Sqrt(tensor.Sum(i => p[i] * p[i])),
                length = Math.Sqrt(tensor.Sum(i => u[i] * u[i])),
                trust = options.WeightDecay * mask[tensor.First() / 64] == 0 || norm == 0 || length == 0
                    ? 1
                    : norm / length;
            foreach (int i in tensor)
                p[i] -= rate * trust * u[i];
        }
    }

    // The first is all zero, so that its norm gives no ratio; the second is frozen; the third moves.
    [Fact]
    public void A_tensor_without_a_norm_has_a_trust_ratio_of_one()
    {
        float[] start = [.. new float[64], .. OpInput.Random([128], 1).Values],
            gradient = [.. OpInput.Random([64], 2).Values, .. new float[64], .. OpInput.Random([64], 3).Values];
        using OpRun run = new();
        Tensor p = run.Put([192], start),
            g = run.Put([192], gradient),
            m = run.Put([192], new float[192]),
            v = run.Put([192], new float[192]),
            decay = run.Put<float>([3], [1, 0, 1]),
            segments = run.Put<uint>([3], [0, 1, 2], DType.U32),
            state = run.Put(StepState.At(0, 0.1, Options.Beta1, Options.Beta2));
        OpRun.Run(r => r.Lamb(p, g, m, v, decay, segments, 3, state, Options));
        float[] end = OpRun.Device.Read<float>(p);
        // A first step with trust 1 moves by lr * g / (|g| + epsilon).
        for (int i = 0; i < 64; i++)
            Assert.Equal(-0.1 * gradient[i] / (Math.Abs(gradient[i]) + Options.Epsilon), end[i], 1e-6);
        Assert.Equal(start[64..128], end[64..128]);
        Assert.All(Enumerable.Range(128, 64), i => Assert.NotEqual(start[i], end[i]));
    }

    // Gradients that overflowed are not even looked at.
    [Fact]
    public void An_update_that_is_skipped_leaves_everything_as_it_is()
    {
        float[] start = OpInput.Random([197], 1).Values,
            moment = OpInput.Random([197], 2).Values,
            square = [.. OpInput.Random([197], 3).Values.Select(Math.Abs)];
        using OpRun run = new();
        Tensor p = run.Put([197], start),
            g = run.Put([197], FlatUpdates.NaNs(197)),
            m = run.Put([197], moment),
            v = run.Put([197], square),
            decay = run.Put<float>([4], [1, 1, 1, 1]),
            segments = run.Put<uint>([4], [0, 0, 1, 1], DType.U32),
            state = run.Put(StepState.At(0, 1, Options.Beta1, Options.Beta2)),
            apply = run.Put<float>([1], [0]);
        OpRun.Run(r => r.Lamb(p, g, m, v, decay, segments, 2, state, Options, apply: apply));
        Assert.Equal(start, OpRun.Device.Read<float>(p));
        Assert.Equal(moment, OpRun.Device.Read<float>(m));
        Assert.Equal(square, OpRun.Device.Read<float>(v));
    }

    [Fact]
    public void Writes_nothing_else_and_replays_bit_by_bit() =>
        FlatUpdates.AssertGuardsAndReplay(
            moments: 2,
            (r, p, g, m, decay, segments, state) => r.Lamb(p, g, m[0], m[1], decay, segments, 3, state, Options)
        );

    [Fact]
    public void Refuses_tensors_that_do_not_fit()
    {
        using OpRun run = new();
        Tensor p = run.Empty([65]),
            shorter = run.Empty([64]),
            mask = run.Empty([2]),
            segments = run.Empty([2], DType.U32),
            state = run.Put(StepState.At(0, 1, 0.9, 0.99));
        Assert.Contains("same number", Refused(r => r.Lamb(p, shorter, p, p, mask, segments, 1, state, Options)));
        Assert.Contains("same number", Refused(r => r.Lamb(p, p, p, shorter, mask, segments, 1, state, Options)));
        Assert.Contains("expected 2", Refused(r => r.Lamb(p, p, p, p, shorter, segments, 1, state, Options)));
        Assert.Contains("2 granules", Refused(r => r.Lamb(p, p, p, p, mask, shorter, 1, state, Options)));
        Assert.Contains("as U32", Refused(r => r.Lamb(p, p, p, p, mask, mask, 1, state, Options)));
        Assert.Contains("StepState.Allocate", Refused(r => r.Lamb(p, p, p, p, mask, segments, 1, shorter, Options)));

        static string Refused(Action<Recorder> op) => Assert.Throws<ArgumentException>(() => OpRun.Run(op)).Message;
    }
}
