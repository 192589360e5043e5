using Deit.Gpu;

namespace Deit.Model.Layers;

/// <summary>y = x W^T + b.</summary>
internal sealed class LinearLayer(Parameters parameters, string prefix)
{
    private readonly Tensor _weight = parameters[$"{prefix}.weight"]; // [out, in]
    private readonly Tensor _bias = parameters[$"{prefix}.bias"];     // [out]

    public static IEnumerable<ParameterSpec> Specs(string prefix, int inputs, int outputs) =>
    [
        new($"{prefix}.weight", [outputs, inputs], Initialization.Normal002, Decay: true),
        new($"{prefix}.bias", [outputs], Initialization.Zero, Decay: false),
    ];

    /// <summary>x [..., in] to [..., out].</summary>
    public Tensor Forward(Recorder r, Tensor x) => r.Linear(x, _weight, _bias);
}
