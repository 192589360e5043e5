using Deit.Gpu;
using Deit.Model;

namespace Deit.Tests.Golden;

/// <summary>The weights and images that the full-size reference logits were computed with: SplitMix64 by the name's place in ordinal order.</summary>
internal static class GeneratedWeights
{
    /// <summary>The i-th number of a key, i from 1, in [-1, 1).</summary>
    public static float U(ulong key, ulong i)
    {
        ulong z = unchecked((i * 0x9E3779B97F4A7C15) + key);
        z = unchecked((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9);
        z = unchecked((z ^ (z >> 27)) * 0x94D049BB133111EB);
        z ^= z >> 31;
        return ((z >> 40) * (1f / (1 << 23))) - 1;
    }

    public static float[] Image(ulong key, int size) => [.. Enumerable.Range(1, 3 * size * size).Select(i => 2 * U(key, (ulong)i))];

    public static void Fill(Parameters parameters, ulong weightKey)
    {
        ParameterSpec[] sorted = [.. parameters.Specs.OrderBy(spec => spec.Name, StringComparer.Ordinal)];
        for (int t = 0; t < sorted.Length; t++)
        {
            ulong key = (weightKey * 1000003) + (ulong)t;
            float[] values = Values(sorted[t], key);
            parameters.Device.Write<float>(parameters[sorted[t].Name], values);
        }
    }

    private static float[] Values(ParameterSpec spec, ulong key)
    {
        Shape shape = spec.Shape;
        (double offset, double scale) = shape.Rank switch
        {
            1 when spec.Name.EndsWith("weight", StringComparison.Ordinal) => (1, 0.1),
            1 => (0, 0.1),
            2 => (0, 0.7 * Math.Sqrt(3.0 / shape[1])),
            4 => (0, Math.Sqrt(3.0 / (shape[1] * shape[2] * shape[3]))),
            _ => (0.0, 0.5),
        };
        float[] values = new float[shape.Elements];
        for (int i = 0; i < values.Length; i++)
            values[i] = (float)(offset + (scale * U(key, (ulong)i + 1)));
        return values;
    }
}
