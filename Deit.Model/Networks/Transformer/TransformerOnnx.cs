using Deit.Model.Files;

namespace Deit.Model.Networks;

/// <summary>The ONNX graph of a vision transformer.</summary>
internal static class TransformerOnnx
{
    /// <summary>See <see cref="NetworkConfig.Onnx"/>.</summary>
    public static IReadOnlyList<string> Build(OnnxNetwork network, string images, TransformerConfig config)
    {
        string x = Tokens(network, images, config); // [B, T, D]
        for (int i = 0; i < config.Depth; i++)
            x = Block(network, x, config, $"blocks.{i}");
        // The norm works row by row, so that only the rows which a head reads need it.
        return
        [
            .. config.Heads.Select(
                (head, row) =>
                {
                    string token = network.Node("Gather", [x, network.Graph.Integer(row)], ("axis", 1)); // [B, D]
                    string norm = network.LayerNorm(token, "norm", config.LayerNormEpsilon);
                    return network.Head(network.Observe($"norm.{row}", norm), head);
                }
            ),
        ];
    }

    private static string Tokens(OnnxNetwork network, string images, TransformerConfig config)
    {
        int dim = config.EmbedDim;
        string patches = network.Node(
            "Conv",
            [images, network.Weight("patch_embed.proj.weight"), network.Weight("patch_embed.proj.bias")],
            ("kernel_shape", (int[])[config.PatchSize, config.PatchSize]),
            ("strides", (int[])[config.PatchSize, config.PatchSize])
        );
        patches = network.Reshape(patches, 0, dim, config.Patches);
        patches = network.Node("Transpose", [patches], ("perm", (int[])[0, 2, 1])); // [B, P, D]
        if (config.PrefixPositions == 0)
            patches = network.Node("Add", [patches, network.Weight("pos_embed")]);
        string tokens = network.Weight("cls_token");
        if (config.PrefixTokens == 2)
            tokens = network.Node("Concat", [tokens, network.Weight("dist_token")], ("axis", 1));
        // The tokens are the same for every image of a batch whose size only the input knows.
        string batch = network.Node("Shape", [images], ("start", 0), ("end", 1));
        string shape = network.Node("Concat", [batch, network.Graph.Integers(config.PrefixTokens, dim)], ("axis", 0));
        string x = network.Node("Concat", [network.Node("Expand", [tokens, shape]), patches], ("axis", 1));
        return config.PrefixPositions == 0 ? x : network.Node("Add", [x, network.Weight("pos_embed")]);
    }

    private static string Block(OnnxNetwork network, string x, TransformerConfig config, string prefix)
    {
        string heads = Attention(network, Norm(x, "norm1"), config, $"{prefix}.attn");
        x = network.Node("Add", [x, Scaled(network.Linear(heads, $"{prefix}.attn.proj"), "ls1")]);
        string hidden = network.Gelu(network.Linear(Norm(x, "norm2"), $"{prefix}.mlp.fc1")); // [B, T, 4 D]
        return network.Node("Add", [x, Scaled(network.Linear(hidden, $"{prefix}.mlp.fc2"), "ls2")]);

        string Scaled(string y, string name) =>
            config.HasLayerScale ? network.Node("Mul", [y, network.Weight($"{prefix}.{name}.gamma")]) : y;

        string Norm(string y, string name) => network.LayerNorm(y, $"{prefix}.{name}", config.LayerNormEpsilon);
    }

    private static string Attention(OnnxNetwork network, string x, TransformerConfig config, string prefix)
    {
        int headDim = config.EmbedDim / config.NumHeads;
        string qkv = network.Observe($"{prefix}.qkv", network.Linear(x, $"{prefix}.qkv")); // [B, T, 3 D]
        qkv = network.Reshape(qkv, 0, config.Tokens, 3, config.NumHeads, headDim);
        qkv = network.Node("Transpose", [qkv], ("perm", (int[])[2, 0, 3, 1, 4])); // [3, B, h, T, d]
        string query = Third(0),
            key = Third(1),
            value = Third(2);
        query = network.Node("Mul", [query, network.Graph.Scalar(1 / Math.Sqrt(headDim))]);
        key = network.Node("Transpose", [key], ("perm", (int[])[0, 1, 3, 2]));
        string scores = network.Node("MatMul", [query, key]); // [B, h, T, T]
        string heads = network.Node("MatMul", [network.Node("Softmax", [scores], ("axis", -1)), value]); // [B, h, T, d]
        heads = network.Node("Transpose", [heads], ("perm", (int[])[0, 2, 1, 3]));
        return network.Reshape(heads, 0, config.Tokens, config.EmbedDim);

        string Third(int index) => network.Node("Gather", [qkv, network.Graph.Integer(index)], ("axis", 0));
    }
}
