using Deit.Gpu;

namespace Deit.Model.Networks;

/// <summary>
/// A transformer block: x + attention(norm(x)), then x + mlp(norm(x)). With LayerScale, each branch is multiplied by a
/// factor a channel. While training, branches are dropped per image.
/// </summary>
internal sealed class TransformerBlock
{
    private readonly int _heads;
    private readonly string _prefix;
    private readonly LayerNormLayer _norm1,
        _norm2;
    private readonly Tensor? _scale1,
        _scale2; // [D], of LayerScale
    private readonly LinearLayer _qkv,
        _projection,
        _fc1,
        _fc2;

    public TransformerBlock(Parameters parameters, TransformerConfig config, string prefix)
    {
        (_heads, _prefix) = (config.NumHeads, prefix);
        _norm1 = new LayerNormLayer(parameters, $"{prefix}.norm1", config.LayerNormEpsilon);
        _qkv = new LinearLayer(parameters, $"{prefix}.attn.qkv");
        _projection = new LinearLayer(parameters, $"{prefix}.attn.proj");
        _norm2 = new LayerNormLayer(parameters, $"{prefix}.norm2", config.LayerNormEpsilon);
        _fc1 = new LinearLayer(parameters, $"{prefix}.mlp.fc1");
        _fc2 = new LinearLayer(parameters, $"{prefix}.mlp.fc2");
        if (config.HasLayerScale)
            (_scale1, _scale2) = (parameters[$"{prefix}.ls1.gamma"], parameters[$"{prefix}.ls2.gamma"]);
    }

    public static IEnumerable<ParameterSpec> Specs(TransformerConfig config, string prefix) =>
        [
            .. LayerNormLayer.Specs($"{prefix}.norm1", config.EmbedDim),
            .. LinearLayer.Specs($"{prefix}.attn.qkv", config.EmbedDim, 3 * config.EmbedDim),
            .. LinearLayer.Specs($"{prefix}.attn.proj", config.EmbedDim, config.EmbedDim),
            .. LayerScale(config, $"{prefix}.ls1.gamma"),
            .. LayerNormLayer.Specs($"{prefix}.norm2", config.EmbedDim),
            .. LinearLayer.Specs($"{prefix}.mlp.fc1", config.EmbedDim, config.HiddenDim),
            .. LinearLayer.Specs($"{prefix}.mlp.fc2", config.HiddenDim, config.EmbedDim),
            .. LayerScale(config, $"{prefix}.ls2.gamma"),
        ];

    /// <summary>x [B, T, D] to [B, T, D], both of the residual stream's type; the tensors between have that of the context.</summary>
    public Tensor Forward(Recorder r, Tensor x, ForwardContext context, double dropPathRate)
    {
        Tensor qkv = _qkv.Forward(r, _norm1.Forward(r, x, context.Precision.Activations)); // [B, T, 3D]
        Tensor attention; // [B, T, D]
        using (r.Named($"{_prefix}.attn"))
            attention = r.Attention(qkv, _heads);
        context.Observe?.Invoke($"{_prefix}.attn.qkv", qkv);
        context.Observe?.Invoke($"{_prefix}.attn", attention);
        x = AddTo(r, x, _projection, attention, _scale1, DropPath(r, x, context, dropPathRate));
        Tensor hidden = _fc1.ForwardGelu(r, _norm2.Forward(r, x, context.Precision.Activations)); // [B, T, 4D]
        return AddTo(r, x, _fc2, hidden, _scale2, DropPath(r, x, context, dropPathRate));
    }

    private static ParameterSpec[] LayerScale(TransformerConfig config, string name) =>
        config.HasLayerScale ? [new(name, [config.EmbedDim], Initialization.LayerScale, Decay: false)] : [];

    // x + scale[b] * gamma * (branch W^T + b); without gamma in one pass.
    private static Tensor AddTo(Recorder r, Tensor x, LinearLayer last, Tensor branch, Tensor? gamma, Tensor? dropped)
    {
        if (gamma is null)
            return last.AddTo(r, x, branch, dropped);
        // The small factors of a young network need the range of the residual stream.
        Tensor scaled = r.LayerScale(last.Forward(r, branch, x.DType), gamma);
        return r.ResidualAdd(x, scaled, dropped);
    }

    // [B], 0 for a dropped image and 1 / keep for the others; null when nothing is dropped.
    private static Tensor? DropPath(Recorder r, Tensor x, ForwardContext context, double rate)
    {
        if (!context.Training || rate == 0)
            return null;
        Tensor stepState =
            context.StepState
            ?? throw new ArgumentException("Stochastic depth needs the step's state; set ForwardContext.StepState.");
        return r.DropPath(x.Shape[0], (float)rate, r.RandomSite("drop_path"), stepState);
    }
}
