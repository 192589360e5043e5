using System.Globalization;
using System.Text.Json.Serialization;
using Deit.Gpu;
using Deit.Model.Files;
using Deit.Model.Images;
using Deit.Model.Networks;

namespace Deit.Model;

/// <summary>A stage of a RegNet: blocks of one width, the first of which halves the picture.</summary>
/// <param name="Width">Channels; a multiple of the group width.</param>
/// <param name="Depth">Number of blocks.</param>
/// <param name="GroupWidth">Channels of a group of the 3 x 3 convolutions.</param>
public readonly record struct RegNetStage(int Width, int Depth, int GroupWidth);

/// <summary>The architecture of a RegNetY by the parameters of its width curve (Radosavovic et al., arXiv 2003.13678).</summary>
public sealed record RegNetConfig : NetworkConfig
{
    /// <summary>w_0, the width at which the curve starts; a multiple of 8.</summary>
    public required int InitialWidth { get; init; }

    /// <summary>w_a, by how much the curve rises a block.</summary>
    public required double WidthSlope { get; init; }

    /// <summary>w_m, the factor between the widths of stages.</summary>
    public required double WidthMultiplier { get; init; }

    /// <summary>Number of blocks.</summary>
    public required int Depth { get; init; }

    /// <summary>Channels of a group of the 3 x 3 convolutions.</summary>
    public required int GroupWidth { get; init; }

    /// <summary>Width of a squeeze-and-excitation over the input width of its block.</summary>
    public double SqueezeExciteRatio { get; init; } = 0.25;

    /// <summary>Channels after the first convolution.</summary>
    public int StemWidth { get; init; } = 32;

    /// <summary>Added to the variance of a batch norm.</summary>
    public double BatchNormEpsilon { get; init; } = 1e-5;

    /// <summary>
    /// The stages. Block j has width w_0 w_m^round(log_wm((w_0 + w_a j) / w_0)), rounded to a multiple of 8 (equations
    /// 2 to 4). Blocks of one width are a stage. The width of the stage is then rounded to a multiple of the group
    /// width. All rounding is half to even.
    /// </summary>
    [JsonIgnore]
    public IReadOnlyList<RegNetStage> Stages =>
        [
            .. Enumerable
                .Range(0, Depth)
                .Select(BlockWidth)
                .GroupBy(width => width)
                .Select(stage =>
                {
                    int group = Math.Min(GroupWidth, stage.Key);
                    return new RegNetStage((int)Math.Round((double)stage.Key / group) * group, stage.Count(), group);
                }),
        ];

    /// <summary>Width of the squeeze-and-excitation in a block with that many input channels.</summary>
    public int SqueezeWidth(int inputs) => (int)Math.Round(inputs * SqueezeExciteRatio);

    private int BlockWidth(int block)
    {
        double exponent = Math.Round(
            Math.Log((InitialWidth + (WidthSlope * block)) / InitialWidth) / Math.Log(WidthMultiplier)
        );
        return (int)Math.Round(InitialWidth * Math.Pow(WidthMultiplier, exponent) / 8) * 8;
    }

    /// <inheritdoc/>
    [JsonIgnore]
    public override string Family => "RegNetY";

    /// <inheritdoc/>
    [JsonIgnore]
    public override IReadOnlyList<string> Heads => ["head.fc"];

    /// <inheritdoc/>
    [JsonIgnore]
    internal override int BlockCount => Depth;

    /// <inheritdoc/>
    internal override int? BlockOf(string parameter) =>
        parameter.Split('.') is [['s', .. string stage], ['b', .. string block], ..]
        && int.TryParse(stage, CultureInfo.InvariantCulture, out int stages)
        && int.TryParse(block, CultureInfo.InvariantCulture, out int blocks)
            ? Stages.Take(stages - 1).Sum(before => before.Depth) + blocks - 1
            : null;

    /// <inheritdoc/>
    internal override IEnumerable<ParameterSpec> Specs() => RegNet.Specs(this);

    /// <inheritdoc/>
    internal override INetwork Create(GpuDevice device) => new RegNet(device, this);

    /// <inheritdoc/>
    internal override IReadOnlyList<string> Onnx(OnnxNetwork network, string images) =>
        [RegNetOnnx.Build(network, images, this)];

    /// <inheritdoc/>
    internal override long MultiplyAdds()
    {
        long sum = 0;
        ImageSize size = Halved(InputSize);
        sum += 3L * 9 * StemWidth * size.Pixels;
        int inputs = StemWidth;
        foreach (RegNetStage stage in Stages)
            for (int block = 0; block < stage.Depth; block++)
            {
                long width = stage.Width;
                sum += inputs * width * size.Pixels; // conv1, before the picture is halved
                if (block == 0)
                {
                    size = Halved(size);
                    sum += inputs * width * size.Pixels; // downsample
                }
                sum += ((9 * stage.GroupWidth) + width) * width * size.Pixels; // conv2, conv3
                sum += 2 * width * SqueezeWidth(inputs);
                inputs = stage.Width;
            }
        return sum + ((long)inputs * NumClasses);

        static ImageSize Halved(ImageSize size) => new((size.Height + 1) / 2, (size.Width + 1) / 2);
    }

    /// <inheritdoc/>
    public override RegNetConfig Validate()
    {
        Require(
            InitialWidth is >= 8 and <= 16384 && InitialWidth % 8 == 0,
            "initial_width",
            InitialWidth,
            "a multiple of 8 up to 16384"
        );
        Require(WidthSlope is >= 0 and <= 16384, "width_slope", WidthSlope, "0 to 16384");
        Require(WidthMultiplier is > 1 and <= 64, "width_multiplier", WidthMultiplier, "above 1, at most 64");
        Require(Depth is >= 1 and <= 1024, "depth", Depth, "1 to 1024");
        Require(GroupWidth is >= 1 and <= 16384, "group_width", GroupWidth, "1 to 16384");
        Require(SqueezeExciteRatio is > 0 and <= 1, "squeeze_excite_ratio", SqueezeExciteRatio, "above 0, at most 1");
        Require(StemWidth is >= 1 and <= 16384, "stem_width", StemWidth, "1 to 16384");
        Require(InputSize is { Shorter: >= 1, Longer: <= 16384 }, "input_size", InputSize, "1 to 16384");
        Require(NumClasses is >= 1 and <= 1_000_000, "num_classes", NumClasses, "1 to 1000000");
        Require(BatchNormEpsilon is > 0 and < 1, "batch_norm_epsilon", BatchNormEpsilon, "between 0 and 1");
        int narrowest = Math.Min(StemWidth, Stages.Min(stage => stage.Width));
        Require(
            SqueezeWidth(narrowest) >= 1,
            "squeeze_excite_ratio",
            SqueezeExciteRatio,
            $"a ratio that leaves a channel of {narrowest}"
        );
        return this;
    }
}
