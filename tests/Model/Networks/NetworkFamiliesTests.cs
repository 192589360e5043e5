using System.Text.Json;
using Deit.Model;

namespace Deit.Tests.Model.Networks;

public sealed class NetworkFamiliesTests
{
    // As timm 0.9 counts them: sum(p.numel() for p in timm.create_model(name).parameters()).
    [Theory]
    [InlineData("vit_tiny_patch16_224", 5_717_416)]
    [InlineData("vit_tiny_patch16_384", 5_790_376)]
    [InlineData("vit_small_patch16_224", 22_050_664)]
    [InlineData("vit_small_patch16_384", 22_196_584)]
    [InlineData("vit_base_patch16_224", 86_567_656)]
    [InlineData("vit_base_patch16_384", 86_859_496)]
    [InlineData("deit3_small_patch16_224", 22_059_496)]
    [InlineData("deit3_small_patch16_384", 22_205_416)]
    [InlineData("deit3_medium_patch16_224", 38_849_512)]
    [InlineData("deit3_base_patch16_224", 86_585_320)]
    [InlineData("deit3_base_patch16_384", 86_877_160)]
    [InlineData("deit3_large_patch16_224", 304_374_760)]
    [InlineData("deit3_large_patch16_384", 304_763_880)]
    public void Parameters_are_as_many_as_timm_has(string name, long expected) =>
        Assert.Equal(
            expected,
            NetworkFamilies.Find(name).Specs().Where(spec => !spec.Buffer).Sum(spec => spec.Shape.Elements)
        );

    [Fact]
    public void Every_name_is_of_one_family_and_every_configuration_is_valid()
    {
        string[] names = [.. NetworkFamilies.Names];
        Assert.Equal(names.Length, names.Distinct().Count());
        Assert.All(names, name => Assert.NotNull(NetworkFamilies.Find(name).Validate()));
        Assert.All(
            names,
            name => Assert.Equal(NetworkFamilies.Find(name).InputSize, NetworkFamilies.Model(name).Preprocess.InputSize)
        );
    }

    [Fact]
    public void A_configuration_written_as_JSON_reads_back()
    {
        foreach (string name in NetworkFamilies.Names)
        {
            NetworkConfig config = NetworkFamilies.Find(name);
            string json = JsonSerializer.Serialize(config, ModelJson.Config);
            Assert.Equal(config, JsonSerializer.Deserialize(json, ModelJson.Config));
        }
    }
}
