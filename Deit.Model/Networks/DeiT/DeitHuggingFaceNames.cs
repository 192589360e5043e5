namespace Deit.Model;

/// <summary>
/// The names of parameters in the Hugging Face library transformers, classes <c>DeiTForImageClassification</c>,
/// <c>DeiTForImageClassificationWithTeacher</c> and <c>ViTForImageClassification</c>, and those of the reference. Only
/// <c>attn.qkv</c> differs in more than its name: there it is three tensors, query, key and value, whose rows in this
/// order are ours.
/// </summary>
internal static class DeitHuggingFaceNames
{
    /// <summary>The names of the class token's head: in a model with one head, and in one with two.</summary>
    public const string OnlyHead = "classifier",
        ClassHead = "cls_classifier",
        DistillationHead = "distillation_classifier";

    private const string Blocks = "blocks.",
        Layers = "encoder.layer.",
        Packed = "attn.qkv";

    private static readonly (string Theirs, string Ours)[] Outside =
    [
        ("embeddings.cls_token", "cls_token"),
        ("embeddings.distillation_token", "dist_token"),
        ("embeddings.position_embeddings", "pos_embed"),
        ("embeddings.patch_embeddings.projection", "patch_embed.proj"),
        ("layernorm", "norm"),
    ];

    private static readonly (string Theirs, string Ours)[] InBlock =
    [
        ("layernorm_before", "norm1"),
        ("attention.output.dense", "attn.proj"),
        ("layernorm_after", "norm2"),
        ("intermediate.dense", "mlp.fc1"),
        ("output.dense", "mlp.fc2"),
    ];

    private static readonly (string Theirs, string Ours)[] HeadNames =
    [
        (OnlyHead, "head"),
        (ClassHead, "head"),
        (DistillationHead, "head_dist"),
    ];

    private static readonly string[] Parts =
    [
        "attention.attention.query",
        "attention.attention.key",
        "attention.attention.value",
    ];

    /// <summary>
    /// Our name of one of their tensors, and which of the parts of ours it is; null of a tensor that the classes do not
    /// have.
    /// </summary>
    /// <param name="theirs">Its name in a file.</param>
    /// <param name="prefix"><c>deit.</c> or <c>vit.</c>.</param>
    public static (string Ours, int Part, int Parts)? FromTheirs(string theirs, string prefix)
    {
        (string stem, string suffix) = SplitSuffix(theirs);
        if (HeadNames.FirstOrDefault(pair => pair.Theirs == stem) is { Ours: { } head })
            return (head + suffix, 0, 1);
        if (!stem.StartsWith(prefix, StringComparison.Ordinal))
            return null;
        stem = stem[prefix.Length..];
        if (Outside.FirstOrDefault(pair => pair.Theirs == stem) is { Ours: { } outside })
            return (outside + suffix, 0, 1);
        if (
            !stem.StartsWith(Layers, StringComparison.Ordinal)
            || stem.IndexOf('.', Layers.Length) is not (> 0 and int dot)
        )
            return null;
        (string index, string inside) = (stem[Layers.Length..dot], stem[(dot + 1)..]);
        if (InBlock.FirstOrDefault(pair => pair.Theirs == inside) is { Ours: { } ours })
            return ($"{Blocks}{index}.{ours}{suffix}", 0, 1);
        int part = Array.IndexOf(Parts, inside);
        return part >= 0 ? ($"{Blocks}{index}.{Packed}{suffix}", part, Parts.Length) : null;
    }

    /// <summary>Their names of one of our tensors: three of the packed query, key and value, else one.</summary>
    /// <param name="ours">The reference's name.</param>
    /// <param name="prefix"><c>deit.</c> or <c>vit.</c>.</param>
    /// <param name="head">The name of the class token's head.</param>
    public static string[] ToTheirs(string ours, string prefix, string head)
    {
        (string stem, string suffix) = SplitSuffix(ours);
        if (stem == "head")
            return [head + suffix];
        if (HeadNames.FirstOrDefault(pair => pair.Ours == stem) is { Theirs: { } other })
            return [other + suffix];
        if (Outside.FirstOrDefault(pair => pair.Ours == stem) is { Theirs: { } outside })
            return [prefix + outside + suffix];
        int dot = stem.IndexOf('.', Blocks.Length);
        (string index, string inside) = (stem[Blocks.Length..dot], stem[(dot + 1)..]);
        string[] theirs = inside == Packed ? Parts : [InBlock.First(pair => pair.Ours == inside).Theirs];
        return Array.ConvertAll(theirs, name => $"{prefix}{Layers}{index}.{name}{suffix}");
    }

    // ".weight" or ".bias"; tokens have neither.
    private static (string Stem, string Suffix) SplitSuffix(string name) =>
        name.EndsWith(".weight", StringComparison.Ordinal) || name.EndsWith(".bias", StringComparison.Ordinal)
            ? (name[..name.LastIndexOf('.')], name[name.LastIndexOf('.')..])
            : (name, "");
}
