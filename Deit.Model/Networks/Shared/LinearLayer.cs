using Deit.Gpu;

namespace Deit.Model.Networks;

/// <summary>y = x W^T + b. Its dispatches bear its name, as those of all layers do.</summary>
internal sealed class LinearLayer(Parameters parameters, string prefix)
{
    private readonly Tensor _weight = parameters[$"{prefix}.weight"]; // [out, in]
    private readonly Tensor _bias = parameters[$"{prefix}.bias"]; // [out]

    public static IEnumerable<ParameterSpec> Specs(string prefix, int inputs, int outputs) =>
        [
            new($"{prefix}.weight", [outputs, inputs], Initialization.Normal002, Decay: true),
            new($"{prefix}.bias", [outputs], Initialization.Zero, Decay: false),
        ];

    /// <summary>x [..., in] to [..., out], in the type of x unless told.</summary>
    public Tensor Forward(Recorder r, Tensor x, DType? output = null)
    {
        using Recorder.Scope scope = r.Named(prefix);
        return r.Linear(x, _weight, _bias, output);
    }

    /// <summary>x [..., in] to gelu(x W^T + b) [..., out].</summary>
    public Tensor ForwardGelu(Recorder r, Tensor x)
    {
        using Recorder.Scope scope = r.Named(prefix);
        return r.LinearGelu(x, _weight, _bias);
    }

    /// <summary>Adds a branch [B, ..., in] to the residual stream x [B, ..., out]: x + scale[b] * (branch W^T + b).</summary>
    public Tensor AddTo(Recorder r, Tensor x, Tensor branch, Tensor? dropPathScale)
    {
        using Recorder.Scope scope = r.Named(prefix);
        return r.LinearResidual(x, branch, _weight, _bias, dropPathScale);
    }
}
