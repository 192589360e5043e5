using Deit.Model;
using Deit.Model.Hub;

namespace Deit.Tests.Model.Hub;

public sealed class HubNameTests
{
    [Theory]
    [InlineData("timm/deit_tiny_patch16_224.fb_in1k", "timm", "deit_tiny_patch16_224.fb_in1k", "main")]
    [InlineData("hf:facebook/deit-base-patch16-224", "facebook", "deit-base-patch16-224", "main")]
    [InlineData("hf://facebook/deit-base-patch16-224@refs/pr/3", "facebook", "deit-base-patch16-224", "refs/pr/3")]
    [InlineData("a/b@v1.0", "a", "b", "v1.0")]
    [InlineData("a/b@0123456789abcdef0123456789abcdef01234567", "a", "b", "0123456789abcdef0123456789abcdef01234567")]
    [InlineData("hf:deit_tiny_patch16_224", "timm", "deit_tiny_patch16_224.fb_in1k", "main")]
    [InlineData("regnety_160@main", "timm", "regnety_160.deit_in1k", "main")]
    public void A_repository_is_read(string text, string owner, string repository, string revision)
    {
        HubName name = HubName.Parse(text);
        Assert.Equal((owner, repository, revision), (name.Owner, name.Repository, name.Revision));
        Assert.Equal(name, HubName.Parse(name.ToString()));
    }

    [Theory]
    [InlineData("")]
    [InlineData("hf:")]
    [InlineData("nothing")]
    [InlineData("a/")]
    [InlineData("/b")]
    [InlineData("a/b/c")]
    [InlineData("../b")]
    [InlineData("a/..")]
    [InlineData("a/b..c")]
    [InlineData("a/b--c")]
    [InlineData("a/.b")]
    [InlineData("a/b.git")]
    [InlineData("a/b c")]
    [InlineData("a/b\\c")]
    [InlineData("a/b\n")]
    [InlineData("a/b?x=1")]
    [InlineData("a/b@")]
    [InlineData("a/b@../../x")]
    [InlineData("a/b@/etc")]
    [InlineData("a/b@x//y")]
    [InlineData("a/b@x/../y")]
    [InlineData("a/b@.hidden")]
    [InlineData("a/b@x.lock")]
    [InlineData("a/b@x y")]
    [InlineData("a/b@x\\y")]
    [InlineData("a/b@C:")]
    [InlineData("a/b@x@y")]
    public void What_names_none_is_refused(string text)
    {
        HubException error = Assert.Throws<HubException>(() => HubName.Parse(text));
        Assert.Equal(HubErrorKind.Name, error.Reason);
        Assert.DoesNotContain('\n', error.Message);
    }

    [Fact]
    public void A_name_that_is_too_long_is_refused() =>
        Assert.Throws<HubException>(() => HubName.Parse($"owner/{new string('a', 100)}"));

    [Fact]
    public void Every_published_model_is_one_that_is_known_here() =>
        Assert.Equal(
            NetworkFamilies.Names.Order(StringComparer.Ordinal),
            PublishedModels.Names.Order(StringComparer.Ordinal)
        );
}
