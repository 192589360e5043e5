namespace Deit.Model;

/// <summary>
/// Names the parts that transformers of other kinds have. Their weights otherwise have the names and shapes of a model that is computed
/// here, and without the part they are another function.
/// </summary>
internal static class ForeignParts
{
    // A family has it: alone it does not show a model that is not computed here.
    private const string LayerScale = "layer scale, as DeiT-III's";

    private static readonly (string[] Pieces, string Meaning)[] Known =
    [
        (["ls1.", "ls2.", "gamma_1", "gamma_2", "layer_scale", "lambda_1"], LayerScale),
        (["q_norm", "k_norm"], "normalised queries and keys"),
        (["reg_token", "register_token"], "register tokens"),
        (["norm_pre", "ln_pre", "pre_layernorm"], "a norm before the blocks"),
        (["relative_position", "rel_pos"], "a relative position bias"),
        (["rope", "rotary"], "rotary positions"),
        (["w12.", ".w1.", ".w2.", ".w3.", "fc1_g", "fc1_x", "weights_in", "weights_out"], "a gated MLP (SwiGLU)"),
        (["fc_norm"], "the mean of all patches as its answer (global_pool avg)"),
        (["attn_pool"], "attention pooling"),
        (["attn.norm", "mlp.norm"], "norms inside of attention or MLP"),
        (["q_bias", "v_bias"], "biases of query and value alone, as BEiT's"),
        (["blocks_token_only"], "class attention, as CaiT's"),
        (["proj_l.", "proj_w."], "talking heads, as CaiT's"),
        (["patch_embed.backbone", "patch_embed.norm"], "another embedding of patches"),
        (["lora_"], "an adapter (LoRA) that is not merged into its weights"),
        (["qweight", "weight_scale", "absmax", ".SCB"], "quantised weights"),
    ];

    /// <summary>The first tensor that belongs to such a part, and what the part is; null where there is none.</summary>
    /// <param name="unknown">Names of tensors that the model does not have.</param>
    public static (string Name, string Meaning)? In(IEnumerable<string> unknown)
    {
        foreach (string name in unknown)
            if (MeaningOf(name) is { } meaning)
                return (name, meaning);
        return null;
    }

    /// <summary>As <see cref="In"/>, of the parts that no family here has.</summary>
    /// <param name="names">The names of any tensors.</param>
    public static (string Name, string Meaning)? OfNoFamily(IEnumerable<string> names) =>
        In(names.Where(name => MeaningOf(name) != LayerScale));

    /// <summary>What a tensor shows its model to have; null of a tensor that shows nothing.</summary>
    public static string? MeaningOf(string name) =>
        Known.FirstOrDefault(part => part.Pieces.Any(piece => name.Contains(piece, StringComparison.Ordinal))).Meaning;

    /// <summary>Refuses weights with a tensor that belongs to such a part.</summary>
    /// <param name="unknown">Names of tensors that the model does not have.</param>
    /// <param name="path">The name of the file in messages.</param>
    /// <exception cref="CheckpointException">There is one.</exception>
    public static void Refuse(IEnumerable<string> unknown, string path)
    {
        if (In(unknown) is var (name, meaning))
            throw new CheckpointException(
                $"'{path}' has '{name}': its model has {meaning}, and the one that it is to be loaded into has not; "
                    + $"give weights of a {string.Join(", ", NetworkFamilies.All.Select(family => family.Name))}, "
                    + "with the config.json or the name of their own model."
            );
    }

    /// <summary>What the weights of a vision transformer lack, as a clause; null where nothing tells that they are of one.</summary>
    /// <param name="names">All their names.</param>
    public static string? Missing(IReadOnlyCollection<string> names) =>
        !names.Contains("patch_embed.proj.weight") ? null
        : !names.Contains("cls_token") ? "they have no class token 'cls_token', without which no model is computed here"
        : !names.Contains("pos_embed")
            ? "they have no position embedding 'pos_embed', without which no model is computed here"
        : !names.Contains("head.weight") ? "they have no head 'head.weight', and so give features and no classes"
        : null;
}
