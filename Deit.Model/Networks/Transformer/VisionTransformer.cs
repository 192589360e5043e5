using Deit.Gpu;
using Deit.Model.Networks;

namespace Deit.Model;

/// <summary>
/// A pre-norm vision transformer with a class token (arXiv 2010.11929) and, in a distilled DeiT (arXiv 2012.12877), a distillation token.
/// </summary>
internal sealed class VisionTransformer : INetwork
{
    private readonly LinearLayer _head;
    private readonly LinearLayer? _distillationHead;
    private readonly LayerNormLayer _norm;
    private readonly TransformerBlock[] _blocks;

    /// <summary>Allocates the parameters of a configuration; they are to be initialised or loaded.</summary>
    /// <exception cref="DeitException">The configuration makes no model.</exception>
    /// <exception cref="GpuException">The device has not enough memory.</exception>
    public VisionTransformer(GpuDevice device, TransformerConfig config)
    {
        Config = config.Validate();
        Parameters = new Parameters(device, [.. Specs(config)]);
        _blocks =
        [
            .. Enumerable.Range(0, config.Depth).Select(i => new TransformerBlock(Parameters, config, $"blocks.{i}")),
        ];
        _norm = new LayerNormLayer(Parameters, "norm", config.LayerNormEpsilon);
        _head = new LinearLayer(Parameters, "head");
        _distillationHead = config.PrefixTokens == 2 ? new LinearLayer(Parameters, "head_dist") : null;
    }

    /// <summary>The architecture.</summary>
    public TransformerConfig Config { get; }

    /// <inheritdoc/>
    public Parameters Parameters { get; }

    /// <inheritdoc/>
    NetworkConfig INetwork.Config => Config;

    /// <summary>Names, shapes, start values and decay of a configuration's parameters, as in the reference on timm 0.3.2.</summary>
    public static IEnumerable<ParameterSpec> Specs(TransformerConfig config)
    {
        int dim = config.EmbedDim,
            patchInputs = 3 * config.PatchSize * config.PatchSize;
        yield return new("cls_token", [1, 1, dim], Initialization.Normal002, Decay: false);
        yield return new(
            "pos_embed",
            [1, config.Patches + config.PrefixPositions, dim],
            Initialization.Normal002,
            Decay: false
        );
        // The reference exempts the class token and the position embedding from decay, but not the distillation token.
        if (config.PrefixTokens == 2)
            yield return new("dist_token", [1, 1, dim], Initialization.Normal002, Decay: true);
        // The reference leaves the convolution at PyTorch's default, kaiming_uniform(a = sqrt 5) = U(+-1 / sqrt(fan in)).
        yield return new(
            "patch_embed.proj.weight",
            [dim, 3, config.PatchSize, config.PatchSize],
            Initialization.FanInUniform,
            Decay: true,
            patchInputs
        );
        yield return new("patch_embed.proj.bias", [dim], Initialization.FanInUniform, Decay: false, patchInputs);
        for (int i = 0; i < config.Depth; i++)
            foreach (ParameterSpec spec in TransformerBlock.Specs(config, $"blocks.{i}"))
                yield return spec;
        foreach (ParameterSpec spec in LayerNormLayer.Specs("norm", dim))
            yield return spec;
        foreach (ParameterSpec spec in LinearLayer.Specs("head", dim, config.NumClasses))
            yield return spec;
        if (config.PrefixTokens == 2)
            foreach (ParameterSpec spec in LinearLayer.Specs("head_dist", dim, config.NumClasses))
                yield return spec;
    }

    /// <inheritdoc/>
    public NetworkOutput Forward(Recorder r, Tensor images, ForwardContext context)
    {
        int batch = images.Shape[0],
            dim = Config.EmbedDim,
            prefix = Config.PrefixTokens;
        Tensor x;
        using Recorder.Scope products = r.Multiplying(context.Precision.Products);
        using (r.Named("patch_embed"))
        {
            Tensor patches = r.Unfold(images, Config.PatchSize, context.Precision.Activations); // [B * P, 3 * 16 * 16]
            Tensor weight = Parameters["patch_embed.proj.weight"];
            Tensor embedded = r.Linear(
                patches,
                weight.View([dim, patches.Shape.Columns]),
                Parameters["patch_embed.proj.bias"],
                context.Precision.Residual
            );
            Tensor? distillationToken = prefix == 2 ? Parameters["dist_token"] : null;
            x = r.Tokens(
                embedded.View([batch, Config.Patches, dim]),
                Parameters["cls_token"],
                distillationToken,
                Positions(r)
            ); // [B, T, D]
        }
        context.Observe?.Invoke("embedding", x);
        ForwardContext frozen = context with { Training = false };
        for (int i = 0; i < _blocks.Length; i++)
        {
            ForwardContext own = i < context.FrozenBlocks ? frozen : context;
            x = _blocks[i]
                .Forward(r, x, own, _blocks.Length == 1 ? 0 : context.DropPathRate * i / (_blocks.Length - 1));
            context.Observe?.Invoke($"blocks.{i}", x);
        }
        // The norm works row by row, so that only the rows which a head reads need it.
        Tensor features = _norm.Forward(r, r.Cast(r.SelectTokens(x, 0, prefix), DType.F32)); // [B, 1 or 2, D]
        context.Observe?.Invoke("norm", features);
        Tensor classToken = prefix == 1 ? features : r.SelectTokens(features, 0, 1);
        Tensor logits = _head.Forward(r, classToken.View([batch, dim])); // [B, classes]
        Tensor? distilled = _distillationHead?.Forward(r, r.SelectTokens(features, 1, 1).View([batch, dim]));
        return new NetworkOutput(logits, distilled);
    }

    // [1, T, D]: zeros for tokens that have no position of their own.
    private Tensor Positions(Recorder r)
    {
        Tensor positions = Parameters["pos_embed"];
        if (Config.PrefixPositions == Config.PrefixTokens)
            return positions;
        int dim = Config.EmbedDim;
        return r.Tokens(positions, r.Full([1, 1, dim], 0), distillToken: null, r.Full([1, Config.Tokens, dim], 0));
    }

    /// <summary>Gives the memory back.</summary>
    public void Dispose() => Parameters.Dispose();
}
