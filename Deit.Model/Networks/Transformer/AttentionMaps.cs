using System.Numerics;

namespace Deit.Model;

/// <summary>
/// The parts of the picture that the tokens of one image look at. These are the attention probabilities softmax(q k^T /
/// sqrt(d)) of every layer and head (Vaswani et al., arXiv 1706.03762), and their rollout (Abnar and Zuidema, arXiv
/// 2005.00928). The host computes them in double precision from the network's projections, row by row when asked for:
/// the whole of a large model would be hundreds of megabytes.
/// </summary>
internal sealed class AttentionMaps
{
    private readonly float[][] _qkv;

    // Kept from one rollout for the next: small beside the heads whose mean they are.
    private readonly double[]?[][] _means;
    private readonly int _width,
        _dimension;

    /// <summary>Takes the projections of all layers.</summary>
    /// <param name="qkv">For each layer [T, 3 * D]: q then k then v, each head-major, as <c>blocks.i.attn.qkv</c> of
    /// one image holds them.</param>
    /// <param name="heads">Number of heads H.</param>
    /// <param name="tokens">Number of tokens T.</param>
    /// <exception cref="ArgumentException">There is no layer, or a length is not tokens times a multiple of 3 * heads.</exception>
    public AttentionMaps(IReadOnlyList<float[]> qkv, int heads, int tokens)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(heads);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(tokens);
        if (
            qkv.Count == 0
            || qkv[0].Length == 0
            || qkv[0].Length % (3L * heads * tokens) != 0
            || qkv.Any(layer => layer.Length != qkv[0].Length)
        )
            throw new ArgumentException(
                $"Attention maps of layers of {string.Join(", ", qkv.Select(layer => layer.Length))} numbers: "
                    + $"expected as many in each, {tokens} tokens times a multiple of 3 * {heads} heads.",
                nameof(qkv)
            );
        (_qkv, Heads, Tokens) = ([.. qkv], heads, tokens);
        _means = [.. qkv.Select(_ => new double[]?[tokens])];
        _width = qkv[0].Length / tokens / 3;
        _dimension = _width / heads;
    }

    /// <summary>Number of layers.</summary>
    public int Layers => _qkv.Length;

    /// <summary>Number of heads H of a layer.</summary>
    public int Heads { get; }

    /// <summary>Number of tokens T.</summary>
    public int Tokens { get; }

    /// <summary>Runs one image through a vision transformer and takes the projections of its layers.</summary>
    /// <param name="device">The device of the network.</param>
    /// <param name="network">A network whose configuration is a <see cref="TransformerConfig"/>.</param>
    /// <param name="image">[3, H, W], normalised.</param>
    /// <exception cref="Deit.Gpu.GpuException">The device was lost or has not enough memory.</exception>
    public static AttentionMaps Of(Gpu.GpuDevice device, INetwork network, ReadOnlySpan<float> image)
    {
        TransformerConfig config = (TransformerConfig)network.Config;
        using Inference inference = new(
            device,
            network,
            batchSize: 1,
            observe: (_, name, tensor) => name.EndsWith(".attn.qkv", StringComparison.Ordinal) ? tensor : null
        );
        inference.Run(image, 1);
        return new AttentionMaps(
            [.. Enumerable.Range(0, config.Depth).Select(i => inference.Observed($"blocks.{i}.attn.qkv"))],
            config.NumHeads,
            config.Tokens
        );
    }

    /// <summary>How a token's attention is divided among all tokens in a head.</summary>
    /// <param name="layer">0 to below <see cref="Layers"/>.</param>
    /// <param name="head">0 to below <see cref="Heads"/>.</param>
    /// <param name="token">The token that looks.</param>
    /// <returns>[T], with the sum 1.</returns>
    public double[] Row(int layer, int head, int token)
    {
        CheckIndex(head, Heads, nameof(head));
        CheckIndex(token, Tokens, nameof(token));
        float[] qkv = _qkv[layer];
        int stride = 3 * _width;
        ReadOnlySpan<float> query = qkv.AsSpan((token * stride) + (head * _dimension), _dimension);
        double scale = 1 / Math.Sqrt(_dimension),
            largest = double.NegativeInfinity,
            sum = 0;
        double[] row = new double[Tokens];
        for (int t = 0; t < Tokens; t++)
        {
            ReadOnlySpan<float> key = qkv.AsSpan((t * stride) + _width + (head * _dimension), _dimension);
            row[t] = Dot(query, key) * scale;
            largest = Math.Max(largest, row[t]);
        }
        foreach (ref double value in row.AsSpan())
            sum += value = Math.Exp(value - largest);
        foreach (ref double value in row.AsSpan())
            value /= sum;
        return row;
    }

    /// <summary>A token's attention in the mean over the heads of a layer.</summary>
    /// <param name="layer">0 to below <see cref="Layers"/>.</param>
    /// <param name="token">The token that looks.</param>
    /// <returns>[T], with the sum 1.</returns>
    public double[] Mean(int layer, int token)
    {
        double[] mean = new double[Tokens];
        for (int head = 0; head < Heads; head++)
        {
            double[] row = Row(layer, head, token);
            for (int t = 0; t < Tokens; t++)
                mean[t] += row[t] / Heads;
        }
        return mean;
    }

    /// <summary>The share of each token of the input in a token, through all layers. It is the token's row of A'_L ...
    /// A'_2 A'_1 with A' = (A + I) / 2 for the residual connection and A the mean over heads (arXiv 2005.00928, section
    /// 3).</summary>
    /// <param name="token">The token that looks.</param>
    /// <returns>[T], with the sum 1.</returns>
    public double[] Rollout(int token)
    {
        double[] row = new double[Tokens];
        row[token] = 1;
        // From the last layer down, a row times a matrix: the other rows of the product are not needed.
        for (int layer = Layers - 1; layer >= 0; layer--)
        {
            double[]?[] means = _means[layer];
            int current = layer;
            Parallel.For(0, Tokens, t => means[t] ??= Mean(current, t));
            row = Through(row, means!);
        }
        return row;
    }

    /// <summary>row * A', with A' = (A + I) / 2 and rows of A normalised to the sum 1.</summary>
    internal static double[] Through(double[] row, double[][] attention)
    {
        double[] result = new double[row.Length];
        for (int t = 0; t < row.Length; t++)
        {
            double sum = attention[t].Sum();
            for (int source = 0; source < result.Length; source++)
                result[source] += row[t] * 0.5 * attention[t][source] / sum;
            result[t] += row[t] * 0.5;
        }
        return result;
    }

    // Three billion products make a rollout of DeiT-B at 384 pixels, so a vector at a time.
    private static double Dot(ReadOnlySpan<float> first, ReadOnlySpan<float> second)
    {
        Vector<double> sums = Vector<double>.Zero;
        int i = 0;
        for (; i <= first.Length - Vector<float>.Count; i += Vector<float>.Count)
        {
            Vector.Widen(new Vector<float>(first[i..]), out Vector<double> firstLow, out Vector<double> firstHigh);
            Vector.Widen(new Vector<float>(second[i..]), out Vector<double> secondLow, out Vector<double> secondHigh);
            sums += (firstLow * secondLow) + (firstHigh * secondHigh);
        }
        double sum = Vector.Sum(sums);
        for (; i < first.Length; i++)
            sum += (double)first[i] * second[i];
        return sum;
    }

    private static void CheckIndex(int index, int count, string name)
    {
        if ((uint)index >= (uint)count)
            throw new ArgumentOutOfRangeException(name, index, $"Expected 0 to below {count}.");
    }
}
