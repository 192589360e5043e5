using Deit.Gpu;

namespace Deit.Model.Networks;

/// <summary>Layer norm over the last dimension.</summary>
internal sealed class LayerNormLayer(Parameters parameters, string prefix, double epsilon)
{
    private readonly Tensor _weight = parameters[$"{prefix}.weight"]; // [C]
    private readonly Tensor _bias = parameters[$"{prefix}.bias"]; // [C]

    public static IEnumerable<ParameterSpec> Specs(string prefix, int channels) =>
        [
            new($"{prefix}.weight", [channels], Initialization.One, Decay: false),
            new($"{prefix}.bias", [channels], Initialization.Zero, Decay: false),
        ];

    /// <summary>x [..., C] in F32 or in the type of the result, to [..., C].</summary>
    public Tensor Forward(Recorder r, Tensor x, DType output = DType.F32)
    {
        using Recorder.Scope scope = r.Named(prefix);
        return r.LayerNorm(x, _weight, _bias, (float)epsilon, output);
    }
}
