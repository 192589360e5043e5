using System.Text.Json.Serialization;

namespace Deit.Model;

/// <summary>The architecture of a DeiT (arXiv 2012.12877): everything that decides names and shapes of its parameters.</summary>
public sealed record DeitConfig : TransformerConfig
{
    /// <summary>True with a distillation token and its head.</summary>
    [JsonPropertyOrder(-2)]
    public bool Distilled { get; init; }

    /// <inheritdoc/>
    [JsonIgnore]
    public override string Family => "DeiT";

    /// <inheritdoc/>
    [JsonIgnore]
    public override IReadOnlyList<string> Heads => Distilled ? ["head", "head_dist"] : ["head"];

    /// <inheritdoc/>
    internal override NetworkConfig With(ArchitectureOptions options) =>
        (DeitConfig)base.With(options with { Distilled = false }) with
        {
            Distilled = Distilled || options.Distilled,
        };

    /// <inheritdoc/>
    public override DeitConfig Validate()
    {
        base.Validate();
        return this;
    }
}
