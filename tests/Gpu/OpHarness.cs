using System.Runtime.InteropServices;
using Deit.Gpu;
using Deit.Gpu.Vulkan;

namespace Deit.Tests.Gpu;

/// <summary>An input of an op under test.</summary>
/// <param name="Shape">The extents.</param>
/// <param name="Values">The values, exactly representable in the tensor's type.</param>
/// <param name="Differentiable">True when the op must produce its gradient.</param>
internal sealed record OpInput(Shape Shape, float[] Values, bool Differentiable = true)
{
    /// <summary>Normally distributed values from a seed.</summary>
    public static OpInput Random(
        Shape shape,
        int seed = 1,
        double scale = 1,
        double mean = 0,
        bool differentiable = true
    )
    {
        Random random = new(seed + (int)shape.Elements);
        float[] values = new float[shape.Elements];
        for (int i = 0; i < values.Length; i++)
            values[i] = (float)(
                mean
                + (
                    scale
                    * Math.Sqrt(-2 * Math.Log(1 - random.NextDouble()))
                    * Math.Cos(2 * Math.PI * random.NextDouble())
                )
            );
        return new OpInput(shape, values, differentiable);
    }
}

/// <summary>
/// Checks an op in all respects at once: against the double-precision oracle, its gradients against finite differences
/// of that oracle, untouched guard bytes round every tensor, outputs that do not depend on the earlier content of
/// memory, and bitwise equal replays.
/// </summary>
internal static class OpHarness
{
    private const uint Poison = 0x7FC0DEAD; // a NaN: it shows in every result that reads it
    private const int Guard = 256;

    /// <summary>Checks an op with one output.</summary>
    public static void Check(
        OpInput[] inputs,
        Func<Recorder, Tensor[], Tensor> op,
        Func<double[][], double[]> oracle,
        double forward,
        double gradient
    ) => Check(inputs, (r, t) => [op(r, t)], x => [oracle(x)], forward, gradient);

    /// <summary>Checks an op.</summary>
    /// <param name="inputs">Its inputs.</param>
    /// <param name="op">Records it and returns the outputs.</param>
    /// <param name="oracle">Computes the outputs in double precision.</param>
    /// <param name="forward">Largest ||out - oracle|| / ||oracle||.</param>
    /// <param name="gradient">Largest relative error of gradients against finite differences of the oracle.</param>
    public static void Check(
        OpInput[] inputs,
        Func<Recorder, Tensor[], Tensor[]> op,
        Func<double[][], double[][]> oracle,
        double forward,
        double gradient
    )
    {
        double[][] exact = [.. inputs.Select(input => Array.ConvertAll(input.Values, v => (double)v))];
        double[][] expected = oracle(exact);
        Result guarded = Run(inputs, op, guard: true);
        Assert.Equal(expected.Length, guarded.Outputs.Length);
        for (int i = 0; i < expected.Length; i++)
            AssertClose(expected[i], guarded.Outputs[i], forward, $"output {i}");
        // The same recording with memory reused must give the same bits: planners and barriers change nothing.
        Result reused = Run(inputs, op, guard: false);
        for (int i = 0; i < expected.Length; i++)
            AssertSameBits(guarded.Outputs[i], reused.Outputs[i], $"output {i} with reused memory");
        for (int i = 0; i < inputs.Length; i++)
            if (inputs[i].Differentiable)
            {
                AssertSameBits(guarded.Gradients[i]!, reused.Gradients[i]!, $"gradient {i} with reused memory");
                CheckGradient(exact, i, guarded, oracle, gradient);
            }
    }

    /// <summary>||actual - expected|| / ||expected||.</summary>
    public static double RelativeError(ReadOnlySpan<double> expected, ReadOnlySpan<float> actual)
    {
        double difference = 0,
            norm = 0;
        for (int i = 0; i < expected.Length; i++)
        {
            difference += (actual[i] - expected[i]) * (actual[i] - expected[i]);
            norm += expected[i] * expected[i];
        }
        return norm == 0 ? Math.Sqrt(difference) : Math.Sqrt(difference / norm);
    }

    private static void AssertClose(double[] expected, float[] actual, double tolerance, string what)
    {
        Assert.Equal(expected.Length, actual.Length);
        double error = RelativeError(expected, actual);
        Assert.True(error <= tolerance, $"{what}: relative error {error:e2}, at most {tolerance:e2}");
    }

    private static void AssertSameBits(float[] expected, float[] actual, string what) =>
        Assert.True(
            MemoryMarshal.AsBytes<float>(expected).SequenceEqual(MemoryMarshal.AsBytes<float>(actual)),
            $"{what}: bits differ"
        );

    // Directional derivatives see every element at once, single elements say where. Both are central differences in double precision,
    // whose error of about 1e-9 is far below any tolerance here.
    private static void CheckGradient(
        double[][] exact,
        int input,
        Result result,
        Func<double[][], double[][]> oracle,
        double tolerance
    )
    {
        float[] gradient = result.Gradients[input]!;
        double norm = Math.Sqrt(gradient.Sum(g => (double)g * g));
        Random random = new(7);
        double[][] directions =
        [
            .. Enumerable.Range(0, 3).Select(_ => Array.ConvertAll(exact[input], _ => (random.NextDouble() * 2) - 1)),
        ];
        IEnumerable<double[]> single = Enumerable
            .Range(0, Math.Min(8, gradient.Length))
            .Select(_ =>
            {
                double[] direction = new double[gradient.Length];
                direction[random.Next(gradient.Length)] = 1;
                return direction;
            });
        foreach (double[] direction in directions.Concat(single))
        {
            double step = 1e-5;
            double numeric = (Objective(step) - Objective(-step)) / (2 * step);
            double analytic = 0,
                length = 0;
            for (int i = 0; i < direction.Length; i++)
            {
                analytic += direction[i] * gradient[i];
                length += direction[i] * direction[i];
            }
            double scale = (norm * Math.Sqrt(length)) + 1e-6;
            Assert.True(
                Math.Abs(numeric - analytic) <= tolerance * scale,
                $"gradient {input}: {analytic:g8}, by finite differences {numeric:g8}; error "
                    + $"{Math.Abs(numeric - analytic) / scale:e2} of ||grad||, at most {tolerance:e2}"
            );

            double Objective(double t)
            {
                double[][] moved = [.. exact];
                moved[input] = [.. exact[input].Select((x, i) => x + (t * direction[i]))];
                double[][] outputs = oracle(moved);
                double sum = 0;
                for (int o = 0; o < outputs.Length; o++)
                for (int i = 0; i < outputs[o].Length; i++)
                    sum += outputs[o][i] * result.OutputGradients[o][i];
                return sum;
            }
        }
    }

    private sealed record Result(float[][] Outputs, float[]?[] Gradients, float[][] OutputGradients);

    private static Result Run(OpInput[] inputs, Func<Recorder, Tensor[], Tensor[]> op, bool guard)
    {
        GpuDevice device = TestDevice.Current;
        long bytes = inputs.Sum(input => 2 * (Storage.Align(input.Values.Length * sizeof(float)) + Guard)) + Guard;
        using Arena arena = device.CreateArena("op test", bytes);
        device.Fill(arena.At(0, [(int)(arena.ByteLength / 4)]), Poison);
        List<Tensor> guards = [];
        Tensor[] tensors = [.. inputs.Select(input => Guarded(input.Shape))];
        Tensor?[] gradients = [.. inputs.Select(input => input.Differentiable ? Guarded(input.Shape) : null)];
        guards.Add(arena.Allocate([Guard / 4]));
        for (int i = 0; i < inputs.Length; i++)
        {
            device.Write<float>(tensors[i], inputs[i].Values);
            if (gradients[i] is { } target)
                tensors[i].Train(target);
        }
        Tensor[] outputs = [],
            seeds = [];
        float[][] outputGradients = [];
        Arena? seedArena = null;
        Graph graph = device.Record(
            r =>
            {
                outputs = ShortTypes.Recorded(() => op(r, tensors));
                outputGradients = [.. outputs.Select((output, i) => OpInput.Random(output.Shape, 100 + i).Values)];
                seedArena = device.CreateArena("seeds", outputs.Sum(output => Storage.Align(output.ByteLength)));
                seeds = [.. outputs.Select(output => seedArena.Allocate(output.Shape))];
                foreach (Tensor output in outputs)
                    r.Keep(output);
                if (gradients.Any(g => g is not null))
                    r.Tape.Backward(outputs, seeds);
            },
            new GraphOptions
            {
                Purpose = "an op test",
                Poison = Poison,
                GuardBytes = guard ? Guard : 0,
                Forced = Recordings.Forced,
            }
        );
        using (seedArena)
        using (graph)
        {
            for (int i = 0; i < seeds.Length; i++)
                device.Write<float>(seeds[i], outputGradients[i]);
            graph.Run();
            float[][] first = [.. outputs.Select(device.Read<float>)];
            float[]?[] firstGradients = [.. gradients.Select(g => g is null ? null : device.Read<float>(g))];
            if (guard)
            {
                AssertGuards(device, graph);
                foreach (Tensor g in guards)
                    Assert.All(device.Read<uint>(g), word => Assert.Equal(Poison, word));
            }
            for (int i = 0; i < inputs.Length; i++)
                AssertSameBits(inputs[i].Values, device.Read<float>(tensors[i]), $"input {i} after the run");
            graph.Run();
            for (int i = 0; i < outputs.Length; i++)
                AssertSameBits(first[i], device.Read<float>(outputs[i]), $"replay of output {i}");
            for (int i = 0; i < inputs.Length; i++)
                if (gradients[i] is { } g)
                    AssertSameBits(firstGradients[i]!, device.Read<float>(g), $"replay of gradient {i}");
            return new Result(first, firstGradients, outputGradients);
        }

        Tensor Guarded(Shape shape)
        {
            guards.Add(arena.Allocate([Guard / 4]));
            return arena.Allocate(shape);
        }
    }

    // Every word of the graph's memory that belongs to no tensor still holds the poison.
    private static void AssertGuards(GpuDevice device, Graph graph)
    {
        Storage[] storages =
        [
            .. graph
                .Dispatches.SelectMany(d => d.Bindings)
                .Select(b => b.Tensor.Storage)
                .Where(s => s.Transient)
                .Distinct(),
        ];
        foreach (DeviceBuffer block in graph.Blocks)
        {
            byte[] content = new byte[block.ByteLength];
            device.Vulkan.Transfers.Read(block, 0, content);
            foreach (Storage storage in storages.Where(s => ReferenceEquals(s.Buffer, block)))
                for (long i = storage.ByteOffset; i < (storage.ByteOffset + storage.ByteLength + 3) / 4 * 4; i += 4)
                    BitConverter.TryWriteBytes(content.AsSpan((int)i), Poison);
            ReadOnlySpan<uint> words = MemoryMarshal.Cast<byte, uint>(content);
            int damaged = words.IndexOfAnyExcept(Poison);
            Assert.True(
                damaged < 0,
                $"A kernel wrote outside its tensors, at byte {damaged * 4L} of a block of {block.ByteLength}"
            );
        }
    }
}
