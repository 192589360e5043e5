using System.Text;
using Deit.Model.Text;

namespace Deit.Tests.Model.Text;

public sealed class PrintableTests
{
    [Theory]
    [InlineData("", "")]
    [InlineData("d/train/a/0.png", "d/train/a/0.png")]
    [InlineData("x\n\u001b[2Jy", "x\\x0a\\x1b[2Jy")]
    [InlineData("a\tb\r\u0085", "a\\x09b\\x0d\\x85")]
    [InlineData("gpj\u202e.exe\u2028", "gpj\\u{202e}.exe\\u{2028}")]
    [InlineData("日本 \U0001F415 e\u0301", "日本 \U0001F415 e\u0301")]
    public void Characters_that_a_terminal_obeys_are_shown_by_number(string text, string expected) =>
        Assert.Equal(expected, Printable.Line(text));

    [Fact]
    public void Half_a_surrogate_pair_is_shown_by_number() =>
        Assert.Equal("a\\u{d800}b", Printable.Line(string.Concat("a", (char)0xD800, "b")));

    [Fact]
    public void A_family_is_one_picture_of_joined_characters_and_stays() =>
        Assert.Equal("\U0001F468\u200d\U0001F469", Printable.Line("\U0001F468\u200d\U0001F469"));

    [Fact]
    public void Nothing_of_any_character_reaches_the_terminal_as_a_command()
    {
        for (int value = 0; value <= 0x10FFFF; value++)
        {
            if (!Rune.IsValid(value))
                continue;
            string shown = Printable.Line($"[{new Rune(value)}]");
            Assert.DoesNotContain(shown, char.IsControl);
            Assert.Equal(shown, Printable.Line(shown));
        }
    }
}
