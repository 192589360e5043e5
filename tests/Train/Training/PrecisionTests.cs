using Deit.Gpu;
using Deit.Model;
using Deit.Tests.Gpu;
using Deit.Train.Options;
using Deit.Train.Training;

namespace Deit.Tests.Train.Training;

/// <summary>Training with 16-bit activations.</summary>
public sealed class PrecisionTests
{
    private const int Steps = 300,
        Batch = 16,
        Classes = 8;

    // The curves are means over groups of steps, so that the effect of one batch on one seed counts little. The spread
    // of fp32 seeds is the effect that a change without meaning has on a curve; rounding must not have more. One seed
    // serves all precisions and gives them equal batches.
    [Fact]
    public void Loss_curves_lie_within_the_spread_of_seeds()
    {
        double[][] seeds = [.. Enumerable.Range(1, 4).Select(seed => Curve("fp32", seed))];
        double[] reference = seeds[0];
        double spread = Enumerable
            .Range(0, reference.Length)
            .Max(i => seeds.Max(curve => curve[i]) - seeds.Min(curve => curve[i]));
        Assert.True(reference[^1] < reference[0] - 0.5, $"nothing was learned: {Text(reference)}");
        foreach (
            string precision in Precision
                .Names.Skip(1)
                .Where(name =>
                    Precision.Parse(name) is { Trains: true } wanted
                    && Precision.For(TestDevice.Current.Info, wanted).Precision == wanted
                )
        )
        {
            double[] curve = Curve(precision, 1);
            double distance = Enumerable.Range(0, curve.Length).Max(i => Math.Abs(curve[i] - reference[i]));
            TestContext.Current.TestOutputHelper?.WriteLine(
                $"{precision}: {Text(curve)}; fp32: {Text(reference)}; largest distance {distance:F4}, spread of seeds {spread:F4}"
            );
            Assert.InRange(distance, 0, spread);
        }
    }

    // The scale starts where the gradients overflow. The first update is skipped, the scale halves until the gradients
    // fit, then steps count.
    [Fact]
    public void An_overflow_skips_the_update_halves_the_scale_and_is_counted()
    {
        GpuDevice device = TestDevice.Current;
        using INetwork model = Model(1);
        TrainOptions options = Options("fp16", 1);
        using TrainStep step = new(device, model, options, precision: DType.F16);
        device.Write<float>(step.LossScale!, [1e12f, 0, 0, 0]);
        float[] start = device.Read<float>(model.Parameters.Flat);
        (float[] images, uint[] labels) = Data(1, 0);
        step.Submit(images, labels, 0, 1e-3);
        Assert.Equal([5e11f, 0, 1, 0], device.Read<float>(step.LossScale!));
        Assert.Equal(start, device.Read<float>(model.Parameters.Flat));
        Assert.All(
            step.OptimizerState,
            state => Assert.All(device.Read<float>(state.Tensor), value => Assert.Equal(0, value))
        );

        int steps = 1;
        for (; steps < 60 && device.Read<float>(step.LossScale!)[1] == 0; steps++)
            step.Submit(images, labels, steps, 1e-3);
        float[] state = device.Read<float>(step.LossScale!);
        Assert.Equal(steps - 1, state[2]);
        Assert.Equal(1e12f * Math.Pow(0.5, steps - 1), state[0], 1e-3 * state[0]);
        Assert.True(float.IsFinite(step.LossSum));
        Assert.NotEqual(start, device.Read<float>(model.Parameters.Flat));
    }

    [Fact]
    public void A_scale_changes_nothing_where_nothing_overflows()
    {
        GpuDevice device = TestDevice.Current;
        float[][] weights =
        [
            .. ((float[])[256, 65536]).Select(scale =>
            {
                using INetwork model = Model(1);
                TrainOptions options = Options("fp16", 1) with
                {
                    Optimizer = new OptimizerOptions { Kind = OptimizerKind.Sgd, ClipGrad = 0.5 },
                };
                using TrainStep step = new(device, model, options, precision: DType.F16);
                device.Write<float>(step.LossScale!, [scale, 0, 0, 0]);
                (float[] images, uint[] labels) = Data(1, 0);
                step.Submit(images, labels, 0, 0.1);
                return device.Read<float>(model.Parameters.Flat);
            }),
        ];
        // Powers of two change exponents alone, except in gradients so small that the smaller scale rounds them.
        Assert.InRange(OpHarness.RelativeError(Array.ConvertAll(weights[0], v => (double)v), weights[1]), 0, 1e-5);
    }

    [Theory]
    [InlineData(true, "f16", null)]
    [InlineData(true, null, "no matrix units for fp16")]
    [InlineData(false, null, "falls back to fp32")]
    public void A_device_without_a_type_falls_back_and_says_so(bool storage, string? units, string? expected)
    {
        GpuInfo info = TestDevice.Current.Info with
        {
            Storage16 = storage,
            MatrixShapes = units is null ? [] : [new MatrixShape(16, 16, 16, units, "f32", "subgroup")],
        };
        (Precision type, string? notice) = Precision.For(info, DType.F16);
        Assert.Equal(storage ? DType.F16 : DType.F32, type);
        Assert.Equal(expected is null, notice is null);
        if (expected is not null)
            Assert.Contains(expected, notice);
        Assert.Equal((DType.F32, null), Precision.For(info, DType.F32));
        Precision residual = Precision.Parse("bf16-residual");
        Assert.Equal(storage ? residual : DType.F32, Precision.For(info, residual).Precision);
    }

    [Theory]
    [InlineData("bf16x3", "bf16", null)]
    [InlineData("bf16x3", "f16", "no matrix units for bf16, so that bf16x3 falls back to fp32")]
    [InlineData("fp16x3", "f16", null)]
    [InlineData("fp16x3", null, "no matrix units for f16, so that fp16x3 falls back to fp32")]
    public void Three_products_need_matrix_units(string name, string? units, string? expected)
    {
        GpuInfo info = TestDevice.Current.Info with
        {
            Storage16 = false,
            MatrixShapes = units is null ? [] : [new MatrixShape(16, 16, 16, units, "f32", "subgroup")],
        };
        (Precision precision, string? notice) = Precision.For(info, Precision.Parse(name));
        Assert.Equal(expected is null ? name : "fp32", precision.Name);
        Assert.Equal(expected is null, notice is null);
        if (expected is not null)
            Assert.Contains(expected, notice);
    }

    [Fact]
    public void What_has_no_range_for_gradients_does_not_train()
    {
        using INetwork model = Model(1);
        DeitException error = Assert.Throws<DeitException>(() =>
            new TrainStep(TestDevice.Current, model, Options("fp32", 1), precision: Precision.Parse("fp16x3"))
        );
        Assert.Contains("fp16x3", error.Message);
    }

    private static TrainOptions Options(string precision, long seed)
    {
        TrainOptions plain = Recipe.Load("plain");
        return plain with
        {
            Step = plain.Step with { BatchSize = Batch, Precision = Precision.Parse(precision) },
            Run = plain.Run with { Seed = seed },
            Augmentation = plain.Augmentation with { Smoothing = 0.1 },
            Model = plain.Model with { DropPath = 0.1 },
            Optimizer = plain.Optimizer with { ClipGrad = 1 },
        };
    }

    private static INetwork Model(ulong seed)
    {
        INetwork model = (TinyRun.Config with { NumClasses = Classes }).Create(TestDevice.Current);
        model.Parameters.Initialize(seed);
        return model;
    }

    private static double[] Curve(string precision, int seed)
    {
        const int Group = 50;
        GpuDevice device = TestDevice.Current;
        using INetwork model = Model((ulong)seed);
        using TrainStep step = new(device, model, Options(precision, seed), precision: Precision.Parse(precision));
        double[] curve = new double[Steps / Group];
        for (int i = 0; i < Steps; i++)
        {
            (float[] images, uint[] labels) = Data(seed, i);
            step.Submit(images, labels, i, 1e-3);
            if ((i + 1) % Group != 0)
                continue;
            curve[i / Group] = step.LossSum / Group;
            step.LossSum = 0;
        }
        return curve;
    }

    // Each class has a pattern of its own under noise.
    private static (float[] Images, uint[] Labels) Data(int seed, int step)
    {
        int pixels = 3 * TinyRun.Config.InputSize.Pixels;
        Random random = new((seed * 1000) + step);
        uint[] labels = [.. Enumerable.Range(0, Batch).Select(_ => (uint)random.Next(Classes))];
        float[][] patterns = [.. Enumerable.Range(0, Classes).Select(c => OpInput.Random([pixels], c).Values)];
        float[] images = new float[Batch * pixels];
        for (int i = 0; i < images.Length; i++)
            images[i] = (0.3f * patterns[labels[i / pixels]][i % pixels]) + (float)((random.NextDouble() - 0.5) * 3);
        return (images, labels);
    }

    private static string Text(double[] curve) =>
        string.Join(
            " ",
            curve.Select(value => value.ToString("F3", System.Globalization.CultureInfo.InvariantCulture))
        );
}
