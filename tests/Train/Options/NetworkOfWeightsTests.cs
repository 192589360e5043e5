using Deit.Model;
using Deit.Train.Options;
using Deit.Train.Training;

namespace Deit.Tests.Train.Options;

public sealed class NetworkOfWeightsTests
{
    public static TheoryData<string> Names => [.. NetworkFamilies.Names];

    /// <summary>The flags of a published network describe it, whatever its number of classes.</summary>
    [Theory]
    [MemberData(nameof(Names))]
    public void Published_networks_are_known(string name)
    {
        NetworkConfig config = NetworkFamilies.Find(name) with { NumClasses = 7 };
        ModelOptions described = Describe(new ModelOptions(), config);
        Assert.Equal(config, described.Config(classes: 7));
    }

    [Fact]
    public void A_free_DeiT_keeps_its_input_and_another_may_be_asked_for()
    {
        DeitConfig config = new()
        {
            EmbedDim = 96,
            Depth = 4,
            NumHeads = 3,
            PatchSize = 8,
            InputSize = 64,
            Distilled = true,
            NumClasses = 5,
        };
        Assert.Equal(config, Describe(new ModelOptions(), config).Config(classes: 5));
        ModelOptions larger = Describe(new ModelOptions { InputSize = 96 }, config);
        Assert.Equal(config with { InputSize = 96 }, larger.Config(classes: 5));
    }

    /// <summary>What the flags cannot say stays with the user, whose network is then compared with the weights.</summary>
    [Fact]
    public void A_network_that_no_flags_describe_changes_nothing()
    {
        DeitConfig config = new()
        {
            EmbedDim = 96,
            Depth = 4,
            NumHeads = 3,
            MlpRatio = 3,
        };
        ModelOptions options = new();
        Assert.Same(options, Describe(options, config));
    }

    /// <summary>The head of a distillation token gets no gradient without a teacher and would spoil the answers.</summary>
    [Theory]
    [InlineData("deit_tiny_distilled_patch16_224", "deit_tiny_patch16_224")]
    [InlineData("deit_base_distilled_patch16_384", "deit_base_patch16_384")]
    public void Distilled_weights_without_a_teacher_make_a_network_without_the_token(string weights, string trained)
    {
        ModelOptions options = NetworkOfWeights.Describe(
            new ModelOptions(),
            NetworkFamilies.Find(weights),
            distils: false,
            out string? notice
        );
        Assert.Equal(NetworkFamilies.Find(trained), options.Config(classes: 1000));
        Assert.Contains("without a teacher", notice);
        _ = NetworkOfWeights.Describe(new ModelOptions(), NetworkFamilies.Find(trained), distils: false, out notice);
        Assert.Null(notice);
    }

    // With a teacher, as of which nothing is left out.
    private static ModelOptions Describe(ModelOptions options, NetworkConfig config)
    {
        ModelOptions described = NetworkOfWeights.Describe(options, config, distils: true, out string? notice);
        Assert.Null(notice);
        return described;
    }
}
