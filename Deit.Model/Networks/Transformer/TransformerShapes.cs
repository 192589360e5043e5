using System.Globalization;

namespace Deit.Model.Networks;

/// <summary>The numbers of a vision transformer from the shapes of its weights, under timm's names.</summary>
internal static class TransformerShapes
{
    // The published models have heads of 64 dimensions, and no tensor shows the number of heads.
    private const int HeadDimension = 64;

    /// <summary>Fills a configuration with the numbers that shapes tell, with heads of 64 dimensions and a square input.</summary>
    /// <param name="template">A configuration of the family, whose numbers are replaced.</param>
    /// <param name="positions">Rows of the position embedding before those of the patches.</param>
    /// <param name="shapes">The tensors of a file.</param>
    /// <returns>The configuration; null where the tensors are not named as a vision transformer's.</returns>
    /// <exception cref="DeitException">The shapes leave a number open, or make no network.</exception>
    /// <exception cref="OverflowException">A shape is too large.</exception>
    public static TransformerConfig? Tell(
        TransformerConfig template,
        int positions,
        IReadOnlyDictionary<string, long[]> shapes
    )
    {
        if (
            !(
                Has("cls_token", 3)
                && Has("pos_embed", 3)
                && Has("patch_embed.proj.weight", 4)
                && Has("head.weight", 2)
                && Has("blocks.0.mlp.fc1.weight", 2)
            )
        )
            return null;
        long dim = shapes["cls_token"][2],
            patch = shapes["patch_embed.proj.weight"][3];
        int depth = 0;
        while (shapes.ContainsKey($"blocks.{depth.ToString(CultureInfo.InvariantCulture)}.norm1.weight"))
            depth++;
        if (dim % HeadDimension != 0 || dim is < 1 or > int.MaxValue)
            throw new DeitException(DeitErrorKind.Data, $"a width of {dim} does not tell the number of heads");
        long patches = shapes["pos_embed"][1] - positions,
            side = (long)Math.Round(Math.Sqrt(Math.Max(0, patches)));
        if (side < 1 || side * side != patches)
            throw new DeitException(DeitErrorKind.Data, $"{patches} patches make no square");
        int width = checked((int)dim),
            hidden = checked((int)shapes["blocks.0.mlp.fc1.weight"][0]);
        TransformerConfig config = template with
        {
            EmbedDim = width,
            Depth = depth,
            NumHeads = width / HeadDimension,
            PatchSize = checked((int)patch),
            MlpRatio = TransformerConfig.RatioOf(width, hidden),
            InputSize = checked((int)(side * patch)),
            NumClasses = checked((int)shapes["head.weight"][0]),
        };
        return config.Validate();

        bool Has(string name, int rank) => shapes.TryGetValue(name, out long[]? shape) && shape.Length == rank;
    }
}
