using Deit.Gpu;

namespace Deit.Cli.Health;

/// <summary>A linear layer, on a device and on the processor.</summary>
internal static class Computation
{
    // Odd sizes, so that the edges of tiles are computed, too.
    private const int Rows = 37,
        Inputs = 45,
        Outputs = 29;

    // A sum of at most 45 products of numbers below 1 in size, each rounded to 24 bits.
    private const double Tolerance = 45 * 6e-8;

    /// <summary>Computes on a device.</summary>
    /// <param name="info">The device.</param>
    /// <returns>What is wrong with the answer; null where nothing is.</returns>
    /// <exception cref="GpuException">The device cannot be opened, or is lost.</exception>
    public static string? Check(GpuInfo info)
    {
        float[] x = Noise(Rows * Inputs, 1),
            weight = Noise(Outputs * Inputs, 2),
            bias = Noise(Outputs, 3);
        return Compare(OnDevice(info, x, weight, bias), OnHost(x, weight, bias));
    }

    /// <summary>The first number that differs by more than roundings do; null where there is none.</summary>
    internal static string? Compare(float[] device, double[] host)
    {
        for (int i = 0; i < host.Length; i++)
            if (!(Math.Abs(device[i] - host[i]) <= Tolerance))
                return FormattableString.Invariant(
                    $"number {i} of a product is {device[i]}, expected {host[i]:0.######}"
                );
        return null;
    }

    private static float[] OnDevice(GpuInfo info, float[] x, float[] weight, float[] bias)
    {
        using GpuDevice device = GpuDevice.Open(info);
        long bytes = ((int[])[Rows * Inputs, Outputs * Inputs, Outputs]).Sum(count => Arena.SizeOf(DType.F32, [count]));
        using Arena arena = device.CreateArena("the doctor's layer", bytes);
        Tensor[] inputs =
        [
            arena.Allocate([Rows, Inputs]),
            arena.Allocate([Outputs, Inputs]),
            arena.Allocate([Outputs]),
        ];
        device.Write<float>(inputs[0], x);
        device.Write<float>(inputs[1], weight);
        device.Write<float>(inputs[2], bias);
        Tensor? y = null;
        using Graph graph = device.Record(
            r => y = r.Keep(r.Linear(inputs[0], inputs[1], inputs[2])),
            new GraphOptions { Purpose = "the doctor's layer" }
        );
        graph.Run();
        return device.Read<float>(y!);
    }

    // y[r, o] = bias[o] + the sum over i of x[r, i] weight[o, i]
    private static double[] OnHost(float[] x, float[] weight, float[] bias)
    {
        double[] y = new double[Rows * Outputs];
        for (int r = 0; r < Rows; r++)
        for (int o = 0; o < Outputs; o++)
        {
            double sum = bias[o];
            for (int i = 0; i < Inputs; i++)
                sum += (double)x[(r * Inputs) + i] * weight[(o * Inputs) + i];
            y[(r * Outputs) + o] = sum;
        }
        return y;
    }

    // Numbers from -1 to 1, the same in every run.
    private static float[] Noise(int count, int seed)
    {
        Random random = new(seed);
        return [.. Enumerable.Range(0, count).Select(_ => (2 * random.NextSingle()) - 1)];
    }
}
