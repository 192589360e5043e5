using Deit.Gpu;

namespace Deit.Tests.Gpu.Ops.Optimizers;

/// <summary>Data and checks that the tests of optimisers share.</summary>
internal static class FlatUpdates
{
    private const uint Poison = 0x7FC0DEAD; // a NaN: it shows in every result that reads it
    private const int Guard = 64; // elements

    /// <summary>Records a step on parameters, gradients, moments, decay mask, segments and step state.</summary>
    public delegate void Step(
        Recorder r,
        Tensor parameters,
        Tensor gradients,
        Tensor[] moments,
        Tensor decay,
        Tensor segments,
        Tensor state
    );

    public static double[] Doubles(int count, int seed) =>
        Array.ConvertAll(OpInput.Random([count], seed).Values, v => (double)v);

    public static float[] Floats(double[] values) => Array.ConvertAll(values, v => (float)v);

    public static float[] NaNs(int count)
    {
        float[] values = new float[count];
        Array.Fill(values, float.NaN);
        return values;
    }

    /// <summary>Factors of weight decay: 1, 0 and a half in turn.</summary>
    public static float[] Mask(int count) =>
        [
            .. Enumerable
                .Range(0, (count + 63) / 64)
                .Select(granule =>
                    granule % 3 == 1 ? 0f
                    : granule % 3 == 0 ? 1f
                    : 0.5f
                ),
        ];

    public static void AssertClose(double[] expected, Tensor actual, double tolerance, string what)
    {
        double error = OpHarness.RelativeError(expected, OpRun.Device.Read<float>(actual));
        Assert.True(error <= tolerance, $"{what}: relative error {error:e2}, at most {tolerance:e2}");
    }

    /// <summary>
    /// Three steps twice from the same start: the same bits, no byte written beside parameters and moments, no gradient
    /// changed.
    /// </summary>
    public static void AssertGuardsAndReplay(int moments, Step step)
    {
        const int Count = 197,
            Granules = 4;
        Assert.Equal(Once(), Once());

        float[] Once()
        {
            using OpRun run = new();
            int tensors = 2 + moments,
                stride = Count + 59 + Guard; // a multiple of 64
            Tensor all = run.Empty([(tensors * stride) + Guard]); // guard, tensor, guard, tensor, ..., guard
            float[] gradient = OpInput.Random([Count], 2).Values;
            Tensor[] t = [.. Enumerable.Range(0, tensors).Select(i => all.Slice((i * stride) + Guard, [Count]))];
            OpRun.Device.Write<float>(t[0], OpInput.Random([Count], 1).Values);
            OpRun.Device.Write<float>(t[1], gradient);
            foreach (Tensor moment in t[2..])
                OpRun.Device.Write<float>(moment, new float[Count]);
            Tensor decay = run.Put<float>([Granules], [1, 1, 0, 1]),
                segments = run.Put<uint>([Granules], [0, 0, 1, 2], DType.U32),
                state = run.Put(StepState.At(0, 0.1, 0.9, 0.99));
            using Graph graph = OpRun.Record(r => step(r, t[0], t[1], t[2..], decay, segments, state));
            for (int i = 0; i < 3; i++)
                graph.Run();
            Assert.Equal(gradient, OpRun.Device.Read<float>(t[1]));
            uint[] words = OpRun.Device.Read<uint>(all);
            for (int i = 0; i <= tensors; i++)
                Assert.All(
                    words[(i == 0 ? 0 : ((i - 1) * stride) + Guard + Count)..((i * stride) + Guard)],
                    word => Assert.Equal(Poison, word)
                );
            return [.. OpRun.Device.Read<float>(t[0]), .. t[2..].SelectMany(OpRun.Device.Read<float>)];
        }
    }
}
