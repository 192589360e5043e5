using Deit.Gpu;

namespace Deit.Model.Networks;

/// <summary>
/// A Y block: convolutions of 1 x 1 and grouped 3 x 3, squeeze-and-excitation, and a convolution of 1 x 1. The result
/// is added to the shortcut, which is projected where the size changes.
/// </summary>
internal sealed class RegNetBlock
{
    private readonly string _prefix;
    private readonly ConvolutionLayer _conv1,
        _conv2,
        _conv3;
    private readonly ConvolutionLayer? _downsample;
    private readonly Tensor _squeeze,
        _squeezeBias,
        _excite,
        _exciteBias;

    public RegNetBlock(
        Parameters parameters,
        RegNetConfig config,
        string prefix,
        int inputs,
        RegNetStage stage,
        int stride
    )
    {
        _prefix = prefix;
        _conv1 = new ConvolutionLayer(parameters, config, $"{prefix}.conv1");
        _conv2 = new ConvolutionLayer(parameters, config, $"{prefix}.conv2", stride);
        _conv3 = new ConvolutionLayer(parameters, config, $"{prefix}.conv3");
        _downsample = Projects(inputs, stage, stride)
            ? new ConvolutionLayer(parameters, config, $"{prefix}.downsample", stride)
            : null;
        _squeeze = parameters[$"{prefix}.se.fc1.weight"];
        _squeezeBias = parameters[$"{prefix}.se.fc1.bias"];
        _excite = parameters[$"{prefix}.se.fc2.weight"];
        _exciteBias = parameters[$"{prefix}.se.fc2.bias"];
    }

    public static IEnumerable<ParameterSpec> Specs(
        RegNetConfig config,
        string prefix,
        int inputs,
        RegNetStage stage,
        int stride
    )
    {
        int width = stage.Width,
            hidden = config.SqueezeWidth(inputs);
        return
        [
            .. ConvolutionLayer.Specs($"{prefix}.conv1", inputs, width, 1),
            .. ConvolutionLayer.Specs($"{prefix}.conv2", stage.GroupWidth, width, 3),
            new($"{prefix}.se.fc1.weight", [hidden, width, 1, 1], Initialization.FanOutNormal, Decay: true),
            new($"{prefix}.se.fc1.bias", [hidden], Initialization.FanInUniform, Decay: false, width),
            new($"{prefix}.se.fc2.weight", [width, hidden, 1, 1], Initialization.FanOutNormal, Decay: true),
            new($"{prefix}.se.fc2.bias", [width], Initialization.FanInUniform, Decay: false, hidden),
            .. ConvolutionLayer.Specs($"{prefix}.conv3", width, width, 1, Initialization.Zero),
            .. Projects(inputs, stage, stride) ? ConvolutionLayer.Specs($"{prefix}.downsample", inputs, width, 1) : [],
        ];
    }

    /// <summary>x [C, B, H, W] to [width, B, H / stride, W / stride].</summary>
    public Tensor Forward(Recorder r, Tensor x, ForwardContext context)
    {
        using Recorder.Scope scope = r.Named(_prefix);
        Tensor y = r.Relu(_conv1.Forward(r, x, context));
        y = r.Relu(_conv2.Forward(r, y, context));
        Tensor hidden = r.Relu(r.Linear(r.GlobalAveragePool(y), Matrix(_squeeze), _squeezeBias)); // [B, hidden]
        y = r.ChannelScale(y, r.Sigmoid(r.Linear(hidden, Matrix(_excite), _exciteBias)));
        y = _conv3.Forward(r, y, context);
        return r.Relu(r.Add(y, _downsample?.Forward(r, x, context) ?? x));
    }

    // A 1 x 1 convolution of a 1 x 1 picture: [out, in, 1, 1] as [out, in].
    private static Tensor Matrix(Tensor weight) => weight.View([weight.Shape[0], weight.Shape[1]]);

    private static bool Projects(int inputs, RegNetStage stage, int stride) => stride != 1 || inputs != stage.Width;
}
