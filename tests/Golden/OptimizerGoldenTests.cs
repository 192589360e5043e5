using System.Globalization;
using Deit.Gpu;
using Deit.Tests.Gpu;

namespace Deit.Tests.Golden;

/// <summary>AdamW and the moving average against torch.optim.AdamW, step by step.</summary>
[Trait("Category", "Golden")]
public class OptimizerGoldenTests
{
    // The reference ran in single precision itself, so that both sides carry roundings of 6e-8 a step.
    private const double Tolerance = 1e-6;

    [Fact]
    public void AdamW_and_the_average_follow_the_reference()
    {
        using GoldenTensors golden = new("optim/adamw.safetensors");
        // "w .05, b 0": the parameters with their weight decay; "1e-3*i at step i"; the betas and epsilon are PyTorch's defaults.
        (string Name, double Decay)[] groups =
        [
            .. golden
                .Metadata["weight_decay"]
                .Split(',', StringSplitOptions.TrimEntries)
                .Select(g => g.Split(' '))
                .Select(g => (g[0], Number(g[1]))),
        ];
        double rate = Number(golden.Metadata["lr"].Split('*')[0]),
            emaDecay = Number(golden.Metadata["ema_decay"]),
            largestDecay = groups.Max(g => g.Decay);
        AdamWOptions options = new(WeightDecay: largestDecay);
        int steps = golden.Names.Count(name => name.StartsWith($"g{groups[0].Name}", StringComparison.Ordinal));
        Assert.True(steps > 0);

        // One flat range, each parameter at the start of a granule, as a training lays them out.
        List<float> mask = [];
        Dictionary<string, int> starts = [];
        foreach ((string name, double decay) in groups)
        {
            starts[name] = mask.Count * AdamWOp.Granule;
            mask.AddRange(
                Enumerable.Repeat(
                    (float)(decay / largestDecay),
                    (golden.Floats($"{name}0").Length + AdamWOp.Granule - 1) / AdamWOp.Granule
                )
            );
        }
        int count = mask.Count * AdamWOp.Granule;
        using OpRun run = new();
        Tensor parameters = run.Put([count], Flat("0")),
            average = run.Put([count], Flat("0")),
            gradients = run.Empty([count]);
        Tensor first = run.Put([count], new float[count]),
            second = run.Put([count], new float[count]),
            decayMask = run.Put([mask.Count], mask.ToArray());
        Tensor state = run.Put(StepState.At(0, 0, options));
        using Graph graph = OpRun.Record(r =>
        {
            r.AdamW(parameters, gradients, first, second, decayMask, state, options);
            r.Ema(average, parameters, state);
        });
        for (int step = 1; step <= steps; step++)
        {
            OpRun.Device.Write<float>(gradients, Flat($"{step}", "g"));
            OpRun.Device.Write(state, StepState.At(step - 1, rate * step, options, emaDecay: emaDecay));
            graph.Run();
            float[] p = OpRun.Device.Read<float>(parameters),
                e = OpRun.Device.Read<float>(average);
            foreach ((string name, _) in groups)
            {
                float[] expected = golden.Floats($"{name}{step}");
                OpsGoldenTests.AssertClose(
                    expected,
                    p[starts[name]..][..expected.Length],
                    Tolerance,
                    $"{name} after step {step}"
                );
                OpsGoldenTests.AssertClose(
                    golden.Floats($"ema_{name}{step}"),
                    e[starts[name]..][..expected.Length],
                    Tolerance,
                    $"average of {name} after step {step}"
                );
            }
        }

        float[] Flat(string suffix, string prefix = "")
        {
            float[] flat = new float[count];
            foreach ((string name, int start) in starts)
                golden.Floats($"{prefix}{name}{suffix}").CopyTo(flat, start);
            return flat;
        }
    }

    private static double Number(string text) => double.Parse(text, NumberStyles.Float, CultureInfo.InvariantCulture);
}
