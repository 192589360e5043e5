using Deit.Bench.Reports;
using Deit.Model;
using Deit.Model.Networks;

namespace Deit.Tests.Bench;

public sealed class MultiplyAddsTests
{
    // timm's published GMAC. They count five for each value that a layer norm writes, beside the products.
    [Theory]
    [InlineData("deit_tiny_patch16_224", 1.26)]
    [InlineData("deit_tiny_distilled_patch16_224", 1.27)]
    [InlineData("deit_small_patch16_224", 4.61)]
    [InlineData("deit_small_distilled_patch16_224", 4.63)]
    [InlineData("deit_base_patch16_224", 17.58)]
    [InlineData("deit_base_distilled_patch16_224", 17.68)]
    [InlineData("deit_base_patch16_384", 55.54)]
    [InlineData("deit_base_distilled_patch16_384", 55.65)]
    public void With_layer_norms_they_are_the_published_ones(string name, double published)
    {
        DeitConfig config = DeitFamily.Get(name);
        long norms = 5L * ((2 * config.Depth) + 1) * config.Tokens * config.EmbedDim;
        Assert.Equal(published, Math.Round((MultiplyAdds.Of(config) + norms) / 1e9, 2));
    }

    // timm's published GMAC. They count two for each value that a batch norm writes; the millions of such values are
    // timm's, too.
    [Theory]
    [InlineData("regnety_040", 4.00, 12.29)]
    [InlineData("regnety_080", 8.00, 17.97)]
    [InlineData("regnety_120", 12.14, 21.38)]
    [InlineData("regnety_160", 15.96, 23.04)]
    public void With_batch_norms_they_are_the_published_ones(string name, double published, double normed) =>
        Assert.Equal(published, Math.Round((MultiplyAdds.Of(RegNetFamily.Get(name)) / 1e9) + (2 * normed / 1e3), 2));

    [Fact]
    public void Each_product_counts_by_hand()
    {
        // 2 x 3 patches of 4 x 4 pixels and a class token: T = 7, D = 8, MLP 32, two blocks, ten classes.
        DeitConfig config = new()
        {
            EmbedDim = 8,
            Depth = 2,
            NumHeads = 2,
            PatchSize = 4,
            InputSize = new(8, 12),
            NumClasses = 10,
        };
        const int Patches = 6 * 48 * 8,
            Block = (7 * 8 * 24) + (7 * 7 * 8) + (7 * 7 * 8) + (7 * 8 * 8) + (7 * 8 * 32) + (7 * 32 * 8),
            Head = 8 * 10;
        Assert.Equal(Patches + (2 * Block) + Head, MultiplyAdds.Of(config));
    }
}
