using Deit.Model.Images;

namespace Deit.Model.Networks;

/// <summary>
/// Plain vision transformers (Dosovitskiy et al., arXiv 2010.11929) as Steiner et al. trained them (arXiv 2106.10270).
/// The network is that of a DeiT without distillation token, under timm's names and with timm's preprocessing of these
/// weights.
/// </summary>
internal sealed class VitFamily : NetworkFamily
{
    /// <inheritdoc/>
    public override string Name => "ViT";

    /// <inheritdoc/>
    public override IReadOnlyDictionary<string, ReferenceModel> Models { get; } =
        new Dictionary<string, ReferenceModel>(StringComparer.Ordinal)
        {
            ["vit_tiny_patch16_224"] = Vit(192, 3, 224),
            ["vit_tiny_patch16_384"] = Vit(192, 3, 384),
            ["vit_small_patch16_224"] = Vit(384, 6, 224),
            ["vit_small_patch16_384"] = Vit(384, 6, 384),
            ["vit_base_patch16_224"] = Vit(768, 12, 224),
            ["vit_base_patch16_384"] = Vit(768, 12, 384),
        };

    // timm, vision_transformer.py: mean and deviation of 0.5, crop_pct 0.9 at 224 pixels and 1.0 at 384.
    private static ReferenceModel Vit(int embedDim, int heads, int size) =>
        new(
            new DeitConfig
            {
                EmbedDim = embedDim,
                Depth = 12,
                NumHeads = heads,
                InputSize = size,
            },
            new Preprocess
            {
                InputSize = size,
                CropRatio = size == 384 ? 1 : 0.9,
                Mean = new ChannelValues(0.5f, 0.5f, 0.5f),
                StandardDeviation = new ChannelValues(0.5f, 0.5f, 0.5f),
            }
        );
}
