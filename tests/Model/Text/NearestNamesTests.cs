using Deit.Model.Text;

namespace Deit.Tests.Model.Text;

public sealed class NearestNamesTests
{
    private static readonly string[] Names =
    [
        "lr",
        "min-lr",
        "batch-size",
        "weight-decay",
        "deit_tiny_patch16_224",
        "deit_tiny_distilled_patch16_224",
        "deit_small_patch16_224",
        "vit_tiny_patch16_224",
    ];

    [Theory]
    [InlineData("bach-size", "batch-size")]
    [InlineData("batch_size", "batch-size")]
    [InlineData("batchsize", "batch-size")]
    [InlineData("BATCH-SIZE", "batch-size")]
    [InlineData("btach-size", "batch-size")] // two letters exchanged are one slip
    [InlineData("weight", "weight-decay")]
    [InlineData("deit_tiny", "deit_tiny_patch16_224 deit_tiny_distilled_patch16_224")]
    [InlineData("deit_tiny_patch16_244", "deit_tiny_patch16_224")]
    [InlineData("unicorn", "")]
    [InlineData("", "")]
    [InlineData("x", "")]
    public void Names_that_were_meant_are_found(string typed, string meant) =>
        Assert.Equal(meant.Split(' ', StringSplitOptions.RemoveEmptyEntries), NearestNames.Of(typed, Names));

    [Fact]
    public void The_question_quotes_each_name()
    {
        Assert.Equal("did you mean 'batch-size'", NearestNames.Question("bach-size", Names));
        Assert.Null(NearestNames.Question("unicorn", Names));
    }

    /// <summary>One slip of the finger anywhere leads back to the name.</summary>
    [Fact]
    public void Every_single_slip_is_forgiven()
    {
        foreach (string name in Names.Where(name => name.Length > 2))
            for (int at = 0; at < name.Length; at++)
            {
                Assert.Equal(name, NearestNames.Of(name.Remove(at, 1), Names)[0]);
                Assert.Equal(name, NearestNames.Of(name.Insert(at, "q"), Names)[0]);
                Assert.Equal(name, NearestNames.Of(name.Remove(at, 1).Insert(at, "q"), Names)[0]);
            }
    }
}
