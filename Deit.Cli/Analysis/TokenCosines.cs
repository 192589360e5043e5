using Deit.Gpu;
using Deit.Model;
using Deit.Train.Data.Loading;

namespace Deit.Cli.Analysis;

/// <summary>How alike tokens are at a place in the network.</summary>
/// <param name="Place">
/// <c>tokens</c> are the parameters, <c>embedding</c> has the position embedding added, <c>block i</c> is after i blocks, and
/// <c>norm</c> is the input of the heads.
/// </param>
/// <param name="ClassDistillation">Mean cosine of class and distillation token; null without a distillation token.</param>
/// <param name="ClassOther">Mean cosine of the class tokens of two models; null without another model.</param>
internal sealed record PlaceCosines(string Place, double? ClassDistillation, double? ClassOther);

/// <summary>The mean over images of the cosine between tokens, layer by layer (Touvron et al., arXiv 2012.12877, section 4).</summary>
internal static class TokenCosines
{
    /// <summary>Measures over all batches of a source.</summary>
    /// <param name="device">The device of the networks.</param>
    /// <param name="network">The model; its configuration is a <see cref="TransformerConfig"/>.</param>
    /// <param name="other">A model of the same input, depth and width whose class token is compared; null for none.</param>
    /// <param name="batchSize">Images a run.</param>
    /// <param name="batches">The images.</param>
    /// <returns>Places from the input on, and the number of images.</returns>
    public static (IReadOnlyList<PlaceCosines> Places, int Images) Measure(
        GpuDevice device,
        INetwork network,
        INetwork? other,
        int batchSize,
        IEnumerable<Batch> batches
    )
    {
        TransformerConfig config = (TransformerConfig)network.Config;
        int prefix = config.PrefixTokens,
            otherPrefix = other?.Config.Heads.Count ?? 0;
        bool distilled = prefix == 2;
        string[] names = ["embedding", .. Enumerable.Range(0, config.Depth).Select(i => $"blocks.{i}"), "norm"];
        double[] distillation = new double[names.Length],
            otherClass = new double[names.Length];
        int images = 0;
        using Inference inference = Observed(device, network, batchSize, null);
        using Inference? otherInference = other is null ? null : Observed(device, other, batchSize, inference.Graph);
        foreach (Batch batch in batches)
            using (batch)
            {
                inference.Run(batch.Images, batch.Count);
                float[][] own = [.. names.Select(inference.Observed)];
                // The second model borrows the memory of the first, whose values have been read by now.
                otherInference?.Run(batch.Images, batch.Count);
                for (int place = 0; place < names.Length; place++)
                {
                    if (distilled)
                        distillation[place] += Sum(own[place], 2, 0, own[place], 2, 1, batch.Count, config.EmbedDim);
                    if (otherInference is not null)
                        otherClass[place] += Sum(
                            own[place],
                            prefix,
                            0,
                            otherInference.Observed(names[place]),
                            otherPrefix,
                            0,
                            batch.Count,
                            config.EmbedDim
                        );
                }
                images += batch.Count;
            }

        PlaceCosines parameters = new(
            "tokens",
            distilled ? Parameters(device, network, network, "dist_token") : null,
            other is null ? null : Parameters(device, network, other, "cls_token")
        );
        IEnumerable<PlaceCosines> observed = names.Select(
            (name, place) =>
                new PlaceCosines(
                    Title(name),
                    distilled ? distillation[place] / images : null,
                    other is null ? null : otherClass[place] / images
                )
        );
        return ([parameters, .. observed], images);
    }

    // The cosine of a model's class token and a token of the same or another model, both as parameters.
    private static double Parameters(GpuDevice device, INetwork network, INetwork second, string name) =>
        Cosine(device.Read<float>(network.Parameters["cls_token"]), device.Read<float>(second.Parameters[name]));

    /// <summary>The cosine of the angle between two vectors; NaN where one has no length.</summary>
    public static double Cosine(ReadOnlySpan<float> first, ReadOnlySpan<float> second)
    {
        double product = 0,
            firstSquare = 0,
            secondSquare = 0;
        for (int i = 0; i < first.Length; i++)
        {
            product += (double)first[i] * second[i];
            firstSquare += (double)first[i] * first[i];
            secondSquare += (double)second[i] * second[i];
        }
        return product / Math.Sqrt(firstSquare * secondSquare);
    }

    // Of [B, T, D] only the tokens before the patches are kept and travel.
    private static Inference Observed(GpuDevice device, INetwork network, int batchSize, Graph? borrow) =>
        new(
            device,
            network,
            batchSize,
            borrow,
            observe: (r, name, tensor) =>
                name switch
                {
                    "norm" => tensor,
                    _ when name.Contains(".attn", StringComparison.Ordinal) => null,
                    _ => r.SelectTokens(tensor, 0, network.Config.Heads.Count),
                }
        );

    // Rows of [B, tokens, D].
    private static double Sum(
        float[] first,
        int firstTokens,
        int firstToken,
        float[] second,
        int secondTokens,
        int secondToken,
        int images,
        int dim
    )
    {
        double sum = 0;
        for (int i = 0; i < images; i++)
            sum += Cosine(
                first.AsSpan(((i * firstTokens) + firstToken) * dim, dim),
                second.AsSpan(((i * secondTokens) + secondToken) * dim, dim)
            );
        return sum;
    }

    private static string Title(string name) =>
        name.StartsWith("blocks.", StringComparison.Ordinal)
            ? $"block {int.Parse(name["blocks.".Length..]) + 1}"
            : name;
}
