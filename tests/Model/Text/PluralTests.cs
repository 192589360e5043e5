using Deit.Model.Text;

namespace Deit.Tests.Model.Text;

public static class PluralTests
{
    [Theory]
    [InlineData(0, "picture", "0 pictures were")]
    [InlineData(1, "picture", "1 picture was")]
    [InlineData(2, "picture", "2 pictures were")]
    [InlineData(1, "class", "1 class was")]
    [InlineData(2, "class", "2 classes were")]
    public static void Nouns_and_verbs_agree_with_their_number(int count, string noun, string expected) =>
        Assert.Equal(expected, $"{Plural.Of(count, noun)} {Plural.Choose(count, "was", "were")}");
}
