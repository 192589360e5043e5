using Deit.Gpu;

namespace Deit.Tests.Gpu.Ops.Optimizers;

/// <summary>Factors of the learning rate: each granule ends as it does alone at its own rate.</summary>
public class LayerRatesTests
{
    private const int Granule = 64,
        Count = (4 * Granule) + 5; // the last granule is not whole

    // Powers of two, by which a rate is multiplied without a rounding: the bits must be the same.
    private static readonly float[] Rates = [1, 0.25f, 0.5f, 2, 0.125f];

    private delegate void Step(
        Recorder r,
        Tensor parameters,
        Tensor gradients,
        Tensor[] moments,
        Tensor decay,
        Tensor segments,
        Tensor state,
        Tensor? rates
    );

    public static TheoryData<string> Optimizers => ["adamw", "lion", "sgd", "momentum", "lamb"];

    private static Step Of(string optimizer) =>
        optimizer switch
        {
            "adamw" => (r, p, g, m, decay, _, state, rates) =>
                r.AdamW(p, g, m[0], m[1], decay, state, new AdamWOptions(), rates: rates),
            "lion" => (r, p, g, m, decay, _, state, rates) =>
                r.Lion(p, g, m[0], decay, state, new LionOptions(), rates: rates),
            "lamb" => (r, p, g, m, decay, segments, state, rates) =>
                r.Lamb(
                    p,
                    g,
                    m[0],
                    m[1],
                    decay,
                    segments,
                    (int)segments.Elements,
                    state,
                    new LambOptions(),
                    rates: rates
                ),
            _ => (r, p, g, m, decay, _, state, rates) =>
                r.Sgd(p, g, m[0], decay, state, new SgdOptions { Nesterov = optimizer == "sgd" }, rates: rates),
        };

    [Theory]
    [MemberData(nameof(Optimizers))]
    public void A_granule_is_updated_as_alone_at_its_rate(string optimizer)
    {
        float[] together = Run(optimizer, 0, Count, 1, Rates);
        float[] alone =
        [
            .. Rates.SelectMany(
                (rate, granule) =>
                    Run(optimizer, granule * Granule, Math.Min(Granule, Count - (granule * Granule)), rate, null)
            ),
        ];
        Assert.Equal(alone, together);
        Assert.NotEqual(Run(optimizer, 0, Count, 1, null), together);
    }

    // Which vectors divide: a kernel that reads by address takes them.
    [Theory]
    [MemberData(nameof(Optimizers))]
    public void Whole_granules_end_as_each_does_alone(string optimizer)
    {
        float[] alone =
        [
            .. Rates[..4].SelectMany((rate, granule) => Run(optimizer, granule * Granule, Granule, rate, null)),
        ];
        Assert.Equal(alone, Run(optimizer, 0, 4 * Granule, 1, Rates[..4]));
    }

    [Theory]
    [MemberData(nameof(Optimizers))]
    public void Factors_of_one_change_no_bit(string optimizer) =>
        Assert.Equal(Run(optimizer, 0, Count, 1, null), Run(optimizer, 0, Count, 1, [1, 1, 1, 1, 1]));

    [Fact]
    public void Rates_of_another_length_are_refused()
    {
        ArgumentException error = Assert.Throws<ArgumentException>(() => Run("adamw", 0, Count, 1, [1, 1]));
        Assert.Contains("expected 5 elements, one for 64 parameters", error.Message);
    }

    // The parameters of a range after three steps. Each granule is a parameter tensor; the second does not decay.
    private static float[] Run(string optimizer, int start, int length, float rate, float[]? rates)
    {
        using OpRun run = new();
        int granules = (length + Granule - 1) / Granule,
            first = start / Granule;
        Tensor p = run.Put([length], OpInput.Random([Count], 1).Values[start..(start + length)]),
            g = run.Empty([length]),
            decay = run.Put([granules], [.. Enumerable.Range(first, granules).Select(i => i == 1 ? 0f : 1f)]),
            segments = run.Put([granules], [.. Enumerable.Range(0, granules).Select(i => (uint)i)], DType.U32),
            state = run.Put(StepState.At(0, 0, 0.9, 0.999));
        Tensor[] moments = [run.Put([length], new float[length]), run.Put([length], new float[length])];
        Tensor? factors = rates is null ? null : run.Put([rates.Length], rates);
        using Graph graph = OpRun.Record(r => Of(optimizer)(r, p, g, moments, decay, segments, state, factors));
        for (int step = 0; step < 3; step++)
        {
            OpRun.Device.Write<float>(g, OpInput.Random([Count], 10 + step).Values.AsSpan(start, length));
            OpRun.Device.Write(state, StepState.At(step, 0.0625 * rate, 0.9, 0.999));
            graph.Run();
        }
        return OpRun.Device.Read<float>(p);
    }
}
