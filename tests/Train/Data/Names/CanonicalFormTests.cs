using System.Text;
using Deit.Train.Data.Names;

namespace Deit.Tests.Train.Data.Names;

public sealed class CanonicalFormTests
{
    [Theory]
    [InlineData("caf\u00e9", "cafe\u0301")]
    [InlineData("\u00c5", "A\u030a")]
    [InlineData("\u212b", "\u00c5")] // the sign of the unit is the letter
    [InlineData("\ud55c\uae00", "\u1112\u1161\u11ab\u1100\u1173\u11af")] // Hangul
    [InlineData("\uac00", "\u1100\u1161")]
    [InlineData("\u30ac", "\u30ab\u3099")] // ga of Japanese
    [InlineData("\u1e69", "s\u0323\u0307")]
    [InlineData("\u1e69", "s\u0307\u0323")] // marks in any order
    [InlineData("\u1e0b\u0323", "d\u0323\u0307")]
    [InlineData("\u0958", "\u0915\u093c")]
    [InlineData("\U0001109a", "\U00011099\U000110ba")] // outside of 16 bits
    [InlineData("\uf900", "\u8c48")]
    public void Names_that_look_the_same_have_one_form(string first, string second)
    {
        Assert.NotEqual(first, second);
        Assert.Equal(CanonicalForm.Of(first), CanonicalForm.Of(second));
        Assert.Equal(CanonicalForm.Of($"a {first} b"), CanonicalForm.Of($"a {second} b"));
    }

    [Theory]
    [InlineData("cafe", "caf\u00e9")]
    [InlineData("\u00e9", "\u00e8")]
    [InlineData("e\u0301\u0300", "e\u0300\u0301")] // two marks over a letter: which is higher matters
    [InlineData("\ufb01", "fi")] // a ligature is another spelling
    [InlineData("\uff21", "A")]
    [InlineData("\u00df", "ss")]
    [InlineData("\u0130", "I")]
    public void Names_that_differ_otherwise_stay_apart(string first, string second) =>
        Assert.NotEqual(CanonicalForm.Of(first), CanonicalForm.Of(second));

    [Fact]
    public void The_form_of_a_form_is_itself_for_every_character()
    {
        for (int code = 0; code <= 0x10FFFF; code++)
        {
            if (!Rune.IsValid(code))
                continue;
            string text = char.ConvertFromUtf32(code),
                form = CanonicalForm.Of(text);
            Assert.Equal(form, CanonicalForm.Of(form));
            Assert.True(code >= 0x80 || form == text);
        }
    }

    [Theory]
    [InlineData("")]
    [InlineData("n01440764")]
    [InlineData("x\ud800")] // half of a pair
    [InlineData("\udc00x\u0301")]
    public void What_has_no_parts_stays_as_it_is(string text) => Assert.Equal(text, CanonicalForm.Of(text));
}
