using System.Text.Json.Serialization;

namespace Deit.Model;

/// <summary>
/// The architecture of a DeiT-III (Touvron et al., arXiv 2204.07118): a vision transformer that scales each branch by a factor a channel
/// (LayerScale, arXiv 2103.17239) and gives the class token no position.
/// </summary>
public sealed record Deit3Config : TransformerConfig
{
    /// <inheritdoc/>
    [JsonIgnore]
    public override string Family => "DeiT-III";

    /// <inheritdoc/>
    [JsonIgnore]
    public override IReadOnlyList<string> Heads => ["head"];

    /// <inheritdoc/>
    internal override bool HasLayerScale => true;

    /// <inheritdoc/>
    internal override int PrefixPositions => 0;

    /// <inheritdoc/>
    public override Deit3Config Validate()
    {
        base.Validate();
        return this;
    }
}
