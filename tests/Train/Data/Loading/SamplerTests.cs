using Deit.Train.Data.Loading;

namespace Deit.Tests.Train.Data.Loading;

public sealed class SamplerTests
{
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(197)]
    public void Every_sample_comes_once(int count)
    {
        Assert.Equal(Enumerable.Range(0, count), new RandomSampler(count, 1).Order(3).Order());
        Assert.Equal(Enumerable.Range(0, count), new SequentialSampler(count).Order(3));
    }

    [Fact]
    public void Seed_and_epoch_decide_the_order()
    {
        int[] order = new RandomSampler(197, 1).Order(3);
        Assert.Equal(order, new RandomSampler(197, 1).Order(3));
        Assert.NotEqual(order, new RandomSampler(197, 1).Order(4));
        Assert.NotEqual(order, new RandomSampler(197, 2).Order(3));
        Assert.NotEqual(Enumerable.Range(0, 197), order);
    }
}
