using Deit.Gpu;
using Deit.Model;

namespace Deit.Tests.Golden;

/// <summary>
/// The weights and images that the full-size reference logits were computed with: SplitMix64 by the name's place in
/// ordinal order.
/// </summary>
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

    public static float[] Image(ulong key, int size) =>
        [.. Enumerable.Range(1, 3 * size * size).Select(i => 2 * U(key, (ulong)i))];

    public static void Fill(Parameters parameters, ulong weightKey)
    {
        Dictionary<string, ParameterSpec> specs = parameters
            .Specs.Concat(parameters.Buffers)
            .ToDictionary(spec => spec.Name);
        // PyTorch's state dictionary counts the batches of every running mean; the counts take a place in the order and no value.
        IEnumerable<string> counts = specs
            .Keys.Where(name => name.EndsWith("running_mean", StringComparison.Ordinal))
            .Select(name => name.Replace("running_mean", "num_batches_tracked"));
        foreach ((int t, string name) in specs.Keys.Concat(counts).Order(StringComparer.Ordinal).Index())
            if (specs.TryGetValue(name, out ParameterSpec? spec))
                parameters.Device.Write<float>(parameters[name], Values(spec, (weightKey * 1000003) + (ulong)t));
    }

    private static float[] Values(ParameterSpec spec, ulong key)
    {
        Shape shape = spec.Shape;
        (double offset, double scale) = shape.Rank switch
        {
            _ when spec.Name.EndsWith("running_var", StringComparison.Ordinal) => (1, 0.5),
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
