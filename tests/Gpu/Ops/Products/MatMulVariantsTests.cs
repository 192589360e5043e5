using Deit.Gpu;

namespace Deit.Tests.Gpu.Ops.Products;

/// <summary>Which kernels a product is offered, at which size they are measured, and how they cut it.</summary>
public sealed class MatMulVariantsTests
{
    // Where C has few tiles and K is deep, a graphics card may split it: at most so that the parts' sums take 64 MiB.
    [Theory]
    [InlineData(192, 192, 50432, 4, 16, 64)]
    [InlineData(3072, 768, 50432, 4)]
    [InlineData(197, 192, 768, 4)]
    [InlineData(197, 192, 192)]
    [InlineData(50432, 192, 768)]
    [InlineData(2048, 4096, 50432)]
    public void A_card_may_split_deep_products_with_few_tiles(int m, int n, int k, params int[] splits)
    {
        GpuInfo card = TestDevice.Current.Info with { Type = GpuType.Discrete, SubgroupSize = 32 };
        IReadOnlyList<string> names = MatMulOp.CandidateNames(card, m, n, k);
        Assert.Equal(
            splits,
            names
                .Where(name => name.Contains(" split ", StringComparison.Ordinal))
                .Select(name => int.Parse(name.Split(' ')[^1]))
                .Distinct()
                .Order()
        );
        Assert.DoesNotContain("split", names[0]);
        Assert.DoesNotContain(
            MatMulOp.CandidateNames(card with { Type = GpuType.Cpu }, m, n, k),
            name => name.Contains("split", StringComparison.Ordinal)
        );
    }

    // DeiT-Ti's and B's products of a batch of 256, and the products that a card measures in their place: a model's
    // widths as they are, but for the cap, rows by powers of two until a factor or the result has 2^24 elements, and K
    // as deep as 64 parts of 128.
    [Theory]
    [InlineData(50432, 576, 192, false, "nn 32768 576 192")]
    [InlineData(50432, 192, 768, false, "nn 32768 192 768")]
    [InlineData(50432, 3072, 768, false, "nn 8192 2048 768")]
    [InlineData(197, 192, 192, false, "nn 256 192 192")]
    [InlineData(192, 192, 50432, true, "tn 192 192 8192 split 64")]
    [InlineData(3072, 768, 50432, true, "tn 3072 768 4096 split 4")]
    public void A_card_measures_products_at_a_models_own_widths(int m, int n, int k, bool transposeA, string extents)
    {
        GpuInfo card = TestDevice.Current.Info with { Type = GpuType.Discrete, SubgroupSize = 32 };
        Assert.Equal($"matmul f32 {extents}", MatMulOp.KeyOf(card, m, n, k, transposeA));
    }

    // DeiT's rows at a batch of 1, without and with the second token: 9 blocks of 22 instead of 24. At a batch of 8, and
    // for rows that 24 divides, a block has all 24; so it has where another number would save less than 5 %.
    [Theory]
    [InlineData(197, 22)]
    [InlineData(198, 22)]
    [InlineData(1576, 24)]
    [InlineData(192, 24)]
    [InlineData(394, 24)]
    [InlineData(24, 24)]
    [InlineData(40, 20)]
    public void Blocks_of_columns_have_rows_that_divide_a_products_rows(int m, int rows) =>
        Assert.Equal((uint)rows, MatMulOp.RowsOfBlock(m, most: 24));
}
