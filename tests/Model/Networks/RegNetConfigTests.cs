using Deit.Model;
using Deit.Model.Networks;

namespace Deit.Tests.Model.Networks;

public class RegNetConfigTests
{
    // Widths and depths as published with the models (Radosavovic et al., arXiv 2003.13678, and timm's tables).
    [Theory]
    [InlineData("regnety_040", new[] { 128, 192, 512, 1088 }, new[] { 2, 6, 12, 2 })]
    [InlineData("regnety_080", new[] { 168, 448, 896, 2016 }, new[] { 2, 4, 10, 1 })]
    [InlineData("regnety_120", new[] { 224, 448, 896, 2240 }, new[] { 2, 5, 11, 1 })]
    [InlineData("regnety_160", new[] { 224, 448, 1232, 3024 }, new[] { 2, 4, 11, 1 })]
    public void Curve_gives_the_published_stages(string name, int[] widths, int[] depths)
    {
        RegNetConfig config = RegNetFamily.Get(name);
        Assert.Equal(widths, config.Stages.Select(stage => stage.Width));
        Assert.Equal(depths, config.Stages.Select(stage => stage.Depth));
        Assert.All(config.Stages, stage => Assert.Equal(0, stage.Width % stage.GroupWidth));
    }

    [Fact]
    public void Squeeze_width_rounds_half_to_even()
    {
        RegNetConfig config = RegNetFamily.Get("regnety_160");
        Assert.Equal([8, 56, 308, 2, 2, 4], ((int[])[32, 224, 1232, 6, 10, 14]).Select(config.SqueezeWidth));
    }

    [Fact]
    public void Refuses_what_makes_no_model()
    {
        RegNetConfig config = RegNetFamily.Get("regnety_040");
        Assert.Contains(
            "a multiple of 8",
            Assert.Throws<DeitException>((config with { InitialWidth = 97 }).Validate).Message
        );
        Assert.Contains(
            "above 1",
            Assert.Throws<DeitException>((config with { WidthMultiplier = 1 }).Validate).Message
        );
        Assert.Contains(
            "leaves a channel of 32",
            Assert.Throws<DeitException>((config with { SqueezeExciteRatio = 0.01 }).Validate).Message
        );
        Assert.Contains("regnety_040", Assert.Throws<DeitException>(() => RegNetFamily.Get("regnety_4")).Message);
    }
}
