using Deit.Model;
using Deit.Model.Files;

namespace Deit.Bench.Host;

/// <summary>
/// Weights by a seed, of the size that training leaves: the answers of a network with them are neither all alike nor too
/// large. The same seed gives the same weights anywhere.
/// </summary>
/// <param name="config">The network.</param>
/// <param name="seed">The seed.</param>
internal sealed class SeededWeights(NetworkConfig config, int seed) : IWeights
{
    public IReadOnlyDictionary<string, long[]> Shapes { get; } =
        config
            .Specs()
            .ToDictionary(spec => spec.Name, spec => Array.ConvertAll(spec.Shape.ToArray(), extent => (long)extent));

    public IReadOnlyDictionary<string, string> Metadata { get; } = new Dictionary<string, string>();

    public float[] Read(string name)
    {
        long[] shape = Shapes[name];
        (double offset, double scale) = shape.Length switch
        {
            _ when name.EndsWith("running_var", StringComparison.Ordinal) => (1, 0.5),
            _ when name.EndsWith("gamma", StringComparison.Ordinal) => (0.5, 0.2),
            1 when name.EndsWith("weight", StringComparison.Ordinal) => (1, 0.1),
            1 => (0, 0.1),
            2 => (0, 0.7 * Math.Sqrt(3.0 / shape[1])),
            4 => (0, Math.Sqrt(3.0 / (shape[1] * shape[2] * shape[3]))),
            _ => (0.0, 0.5),
        };
        // Each tensor has numbers of its own, wherever it stands.
        int own = name.Aggregate(seed, (sum, letter) => unchecked((sum * 31) + letter));
        Random random = new(own);
        float[] values = new float[shape.Aggregate(1L, (product, extent) => product * extent)];
        foreach (ref float value in values.AsSpan())
            value = (float)(offset + (scale * ((2 * random.NextDouble()) - 1)));
        return values;
    }

    public void Dispose() { }
}
