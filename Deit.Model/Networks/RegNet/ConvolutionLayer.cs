using Deit.Gpu;

namespace Deit.Model.Networks;

/// <summary>A convolution without bias and its batch norm.</summary>
internal sealed class ConvolutionLayer(Parameters parameters, RegNetConfig config, string prefix, int stride = 1)
{
    private readonly Tensor _kernel = parameters[$"{prefix}.conv.weight"]; // [O, C / groups, k, k]
    private readonly Tensor _weight = parameters[$"{prefix}.bn.weight"]; // [O]
    private readonly Tensor _bias = parameters[$"{prefix}.bn.bias"]; // [O]
    private readonly Tensor _mean = parameters[$"{prefix}.bn.running_mean"]; // [O]
    private readonly Tensor _variance = parameters[$"{prefix}.bn.running_var"]; // [O]

    /// <param name="prefix">Where the names start.</param>
    /// <param name="inputs">Input channels of a group.</param>
    /// <param name="outputs">Output channels.</param>
    /// <param name="kernel">Side of the kernel.</param>
    /// <param name="scale">How the batch norm's weight starts: at zero in a block's last, so that the block starts as its shortcut.</param>
    public static IEnumerable<ParameterSpec> Specs(
        string prefix,
        int inputs,
        int outputs,
        int kernel,
        Initialization scale = Initialization.One
    ) =>
        [
            new($"{prefix}.conv.weight", [outputs, inputs, kernel, kernel], Initialization.FanOutNormal, Decay: true),
            new($"{prefix}.bn.weight", [outputs], scale, Decay: false),
            new($"{prefix}.bn.bias", [outputs], Initialization.Zero, Decay: false),
            new($"{prefix}.bn.running_mean", [outputs], Initialization.Zero, Decay: false) { Buffer = true },
            new($"{prefix}.bn.running_var", [outputs], Initialization.One, Decay: false) { Buffer = true },
        ];

    /// <summary>x [C, B, H, W] to [O, B, H / stride, W / stride], rounded up; the zeros around keep the size.</summary>
    public Tensor Forward(Recorder r, Tensor x, ForwardContext context)
    {
        Tensor y = r.Conv2d(x, _kernel, stride, _kernel.Shape[3] / 2, x.Shape[0] / _kernel.Shape[1]);
        return r.BatchNorm(
            y,
            _weight,
            _bias,
            _mean,
            _variance,
            context.Training,
            epsilon: (float)config.BatchNormEpsilon
        );
    }
}
