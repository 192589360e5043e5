using Deit.Gpu;
using Deit.Tests.Golden;

namespace Deit.Tests.Gpu.Ops.Mixing;

public class MixOpTests
{
    // Two products and a sum.
    private const double Tolerance = 2e-7;

    [Theory]
    [InlineData(2, 3, 5, 7)]
    [InlineData(7, 1, 1, 1)]
    [InlineData(3, 3, 37, 13)]
    public void Mixes_with_the_reversed_batch(int batch, int channels, int height, int width)
    {
        MixState[] states =
        [
            MixState.None,
            MixState.Mixup(0.3),
            MixState.Cutmix(width / 3, height / 4, width, (height / 4) + 1, width, height),
        ];
        foreach (MixState state in states)
        {
            using Arena arena = TestDevice.Current.CreateArena("mix state", 256);
            Tensor tensor = Upload(arena, state);
            OpHarness.Check(
                [
                    OpInput.Random([batch, channels, height, width], differentiable: false),
                    OpInput.Random([batch, 10], 2, differentiable: false),
                ],
                (r, t) => [r.MixImages(t[0], tensor), r.MixTargets(t[1], tensor)],
                x => [Images(x[0], batch, height, width, state), Targets(x[1], batch, state)],
                Tolerance,
                gradient: 0
            );
        }
    }

    [Fact]
    [Trait("Category", "Golden")]
    public void Mixup_and_cutmix_as_the_reference()
    {
        using GoldenFile file = new("augment/mixup_cutmix.safetensors");
        GpuDevice device = TestDevice.Current;
        Shape shape = file.Shape("images");
        string[] cases =
        [
            .. file
                .Names.Where(n =>
                    n.Contains(".lam", StringComparison.Ordinal) && n.EndsWith(".images", StringComparison.Ordinal)
                )
                .Select(n => n[..^".images".Length]),
        ];
        Assert.NotEmpty(cases);
        foreach (string name in cases)
        {
            int classes = file.Dims($"{name}.targets")[1];
            MixState state = file.Has($"{name}.box")
                // timm's order: first and last row, first and last column.
                ? file.Integers($"{name}.box") is [var top, var bottom, var left, var right]
                    ? MixState.Cutmix((int)left, (int)top, (int)right, (int)bottom, shape[3], shape[2])
                    : throw new InvalidDataException(name)
                : MixState.Mixup(double.Parse(name[(name.IndexOf(".lam", StringComparison.Ordinal) + 4)..]));
            if (file.Has($"{name}.lam"))
                Assert.Equal(file.Floats($"{name}.lam")[0], state.TargetLambda, 1e-6f);
            using Arena arena = device.CreateArena("mix", Arena.SizeOf(DType.F32, shape, [shape[0]], [64]));
            Tensor images = arena.Allocate(shape),
                labels = arena.Allocate([shape[0]], DType.U32),
                tensor = Upload(arena, state);
            device.Write<float>(images, file.Floats("images"));
            device.Write<uint>(labels, Array.ConvertAll(file.Integers("labels"), label => (uint)label));
            float[] expectedTargets = file.Floats($"{name}.targets");
            // Unmixed positions hold off = epsilon / classes, from which the smoothing of the case follows.
            float smoothing = expectedTargets.Min() * classes;
            Tensor mixedImages = null!,
                mixedTargets = null!;
            using Graph graph = device.Record(r =>
            {
                mixedImages = r.Keep(r.MixImages(images, tensor));
                mixedTargets = r.Keep(r.MixTargets(r.SoftTargets(labels, classes, smoothing), tensor));
            });
            graph.Run();
            // The file's numbers are F32 as ours: three roundings of 6e-8 on either side.
            Assert.True(
                OpHarness.RelativeError(file.Doubles($"{name}.images"), device.Read<float>(mixedImages)) <= 1e-6,
                $"images of {name}"
            );
            Assert.True(
                OpHarness.RelativeError(file.Doubles($"{name}.targets"), device.Read<float>(mixedTargets)) <= 1e-6,
                $"targets of {name}"
            );
        }
    }

    private static Tensor Upload(Arena arena, MixState state)
    {
        Tensor tensor = MixState.Allocate(arena);
        TestDevice.Current.Write(tensor, new ReadOnlySpan<MixState>(in state));
        return tensor;
    }

    private static double[] Images(double[] x, int batch, int height, int width, MixState state)
    {
        int size = x.Length / batch;
        double[] y = new double[x.Length];
        for (int i = 0; i < x.Length; i++)
        {
            int image = i / size,
                within = i % size,
                column = within % width,
                row = within / width % height;
            double partner = x[((batch - 1 - image) * size) + within];
            bool inside = column >= state.Left && column < state.Right && row >= state.Top && row < state.Bottom;
            y[i] = inside ? partner : (x[i] * state.PixelLambda) + (partner * (1 - (double)state.PixelLambda));
        }
        return y;
    }

    private static double[] Targets(double[] t, int batch, MixState state) =>
        [
            .. t.Select(
                (v, i) =>
                    (state.TargetLambda * v)
                    + ((1 - (double)state.TargetLambda) * t[((batch - 1 - (i / 10)) * 10) + (i % 10)])
            ),
        ];
}
