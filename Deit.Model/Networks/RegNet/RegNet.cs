using Deit.Gpu;
using Deit.Model.Networks;

namespace Deit.Model;

/// <summary>RegNetY (arXiv 2003.13678), the convolutional teacher of DeiT. Parameters are named as timm's.</summary>
internal sealed class RegNet : INetwork
{
    private readonly ConvolutionLayer _stem;
    private readonly RegNetBlock[] _blocks;
    private readonly LinearLayer _head;

    /// <summary>Allocates the parameters of a configuration; they are to be initialised or loaded.</summary>
    /// <exception cref="DeitException">The configuration makes no model.</exception>
    /// <exception cref="GpuException">The device has not enough memory.</exception>
    public RegNet(GpuDevice device, RegNetConfig config)
    {
        Config = config.Validate();
        Parameters = new Parameters(device, [.. Specs(config)]);
        _stem = new ConvolutionLayer(Parameters, config, "stem", stride: 2);
        _blocks =
        [
            .. Blocks(config)
                .Select(block => new RegNetBlock(
                    Parameters,
                    config,
                    block.Prefix,
                    block.Inputs,
                    block.Stage,
                    block.Stride
                )),
        ];
        _head = new LinearLayer(Parameters, "head.fc");
    }

    /// <summary>The architecture.</summary>
    public RegNetConfig Config { get; }

    /// <inheritdoc/>
    public Parameters Parameters { get; }

    /// <inheritdoc/>
    NetworkConfig INetwork.Config => Config;

    /// <summary>Names, shapes, start values and decay of a configuration's parameters and running statistics.</summary>
    public static IEnumerable<ParameterSpec> Specs(RegNetConfig config) =>
        [
            .. ConvolutionLayer.Specs("stem", 3, config.StemWidth, 3),
            .. Blocks(config)
                .SelectMany(block => RegNetBlock.Specs(config, block.Prefix, block.Inputs, block.Stage, block.Stride)),
            new("head.fc.weight", [config.NumClasses, config.Stages[^1].Width], Initialization.Normal001, Decay: true),
            new("head.fc.bias", [config.NumClasses], Initialization.Zero, Decay: false),
        ];

    /// <inheritdoc/>
    public NetworkOutput Forward(Recorder r, Tensor images, ForwardContext context)
    {
        ForwardContext frozen = context with { Training = false };
        Tensor x;
        using Recorder.Scope products = r.Multiplying(context.Precision.Products);
        using (r.Named("stem"))
            x = r.Relu(_stem.Forward(r, r.SwapLeading(images), context.FrozenBlocks > 0 ? frozen : context)); // [C, B, H / 2, W / 2]
        for (int i = 0; i < _blocks.Length; i++)
            x = _blocks[i].Forward(r, x, i < context.FrozenBlocks ? frozen : context);
        return new NetworkOutput(_head.Forward(r, r.GlobalAveragePool(x)), DistillationLogits: null);
    }

    private static IEnumerable<(string Prefix, int Inputs, RegNetStage Stage, int Stride)> Blocks(RegNetConfig config)
    {
        int inputs = config.StemWidth;
        foreach ((int index, RegNetStage stage) in config.Stages.Index())
            for (int block = 0; block < stage.Depth; block++)
            {
                yield return ($"s{index + 1}.b{block + 1}", inputs, stage, block == 0 ? 2 : 1);
                inputs = stage.Width;
            }
    }

    /// <summary>Gives the memory back.</summary>
    public void Dispose() => Parameters.Dispose();
}
