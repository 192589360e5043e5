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
        ModelOptions described = NetworkOfWeights.Describe(new ModelOptions(), config);
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
        Assert.Equal(config, NetworkOfWeights.Describe(new ModelOptions(), config).Config(classes: 5));
        ModelOptions larger = NetworkOfWeights.Describe(new ModelOptions { InputSize = 96 }, config);
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
        Assert.Same(options, NetworkOfWeights.Describe(options, config));
    }
}
