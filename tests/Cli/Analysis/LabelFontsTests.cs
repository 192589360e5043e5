using Deit.Cli.Analysis;
using Deit.Train.Training;
using SkiaSharp;

namespace Deit.Tests.Cli.Analysis;

/// <summary>Labels in scripts that the font of the assembly lacks.</summary>
public sealed class LabelFontsTests
{
    private const string Korean = "한국어",
        Arabic = "قطة",
        Emoji = "\U0001F431 cat",
        Family = "\U0001F469\u200D\U0001F52C";

    private static readonly LabelFonts WithoutFonts = new(_ => null);

    [Theory]
    [InlineData("boot", "boot")]
    [InlineData("Ωmega Жук é", "Ωmega Жук é")]
    [InlineData(Korean, "\\u{d55c}\\u{ad6d}\\u{c5b4}")]
    [InlineData(Arabic, "\\u{629}\\u{637}\\u{642}")] // in the order of sight
    [InlineData(Emoji, "\\u{1f431} cat")]
    [InlineData(Family, "\\u{1f469}\\u{1f52c}")]
    [InlineData("a\nb", "a\\x0ab")]
    [InlineData("x قطة 12 y", "x \\u{629}\\u{637}\\u{642} 12 y")]
    public void Without_fonts_of_the_machine_the_number_is_shown(string label, string shown) =>
        Assert.Equal(shown, string.Concat(WithoutFonts.Runs(label).Select(run => run.Text)));

    [Theory]
    [InlineData("boot")]
    [InlineData(Korean)]
    [InlineData(Arabic)]
    [InlineData(Emoji)]
    [InlineData("boot 한국어 قطة \U0001F431")]
    public void What_is_drawn_fills_the_width_that_is_measured(string label)
    {
        foreach (LabelFonts fonts in (LabelFonts[])[WithoutFonts, LabelFonts.OfMachine])
        {
            float width = fonts.Width(label, 20);
            (int left, int right) = Ink(fonts, label);
            // A glyph has up to a sixth of its height of blank at its sides, and may lean out as far.
            Assert.InRange(left, 10 - 4, 10 + 4);
            Assert.InRange(right, 10 + width - 5, 10 + width + 4);
        }
    }

    [Fact]
    public void Labels_in_one_script_can_be_told_apart()
    {
        string[] labels = [Korean, "일본어", Arabic, "كلب", "\U0001F431", "\U0001F436", "boot"];
        foreach (LabelFonts fonts in (LabelFonts[])[WithoutFonts, LabelFonts.OfMachine])
            Assert.Equal(
                labels.Length,
                labels.Select(label => Convert.ToHexString(Pixels(fonts, label))).Distinct().Count()
            );
    }

    [Fact]
    public void A_font_of_the_machine_draws_what_it_has()
    {
        foreach (int character in (int[])[0xD55C, 0x642, 0x1F431])
            if (SystemFonts.Find(character) is { } font)
            {
                TextRun run = Assert.Single(LabelFonts.OfMachine.Runs(char.ConvertFromUtf32(character)));
                Assert.Equal((font, char.ConvertFromUtf32(character)), (run.Typeface, run.Text));
                Assert.True(SystemFonts.Has(font, character));
            }
        Assert.Null(SystemFonts.Find(0x10FFFD)); // for private use: no font that anybody installs has it
    }

    [Fact]
    public void Each_run_has_a_font_that_has_all_of_it() =>
        Assert.All(
            LabelFonts.OfMachine.Runs($"boot {Korean} {Arabic} {Emoji} {Family} \U0010FFFD"),
            run =>
                Assert.All(
                    run.Text.EnumerateRunes().ToArray(),
                    rune => Assert.True(SystemFonts.Has(run.Typeface, rune.Value), $"{rune.Value:x}")
                )
        );

    [Fact]
    public void A_confusion_matrix_has_room_for_such_labels()
    {
        string[] labels = [Korean, Arabic, Emoji, "boot"];
        Prediction[] predictions = [.. labels.Select((_, i) => new Prediction(i, i, (i + 1) % 4, i, i))];
        using Drawing drawing = new ConfusionMatrix(predictions, labels).Draw("title");
        float longest = labels.Max(label => Drawing.TextWidth(label, 12));
        Assert.True(drawing.Width > longest + (4 * 44));
    }

    private static (int Left, int Right) Ink(LabelFonts fonts, string label)
    {
        int width = (int)fonts.Width(label, 20) + 40;
        using SKBitmap bitmap = Draw(fonts, label, width);
        int[] columns =
        [
            .. Enumerable
                .Range(0, width)
                .Where(x => Enumerable.Range(0, 40).Any(y => bitmap.GetPixel(x, y) != SKColors.White)),
        ];
        return (columns[0], columns[^1]);
    }

    private static byte[] Pixels(LabelFonts fonts, string label)
    {
        using SKBitmap bitmap = Draw(fonts, label, 400);
        return bitmap.Bytes;
    }

    private static SKBitmap Draw(LabelFonts fonts, string label, int width)
    {
        SKBitmap bitmap = new(new SKImageInfo(width, 40, SKColorType.Rgba8888, SKAlphaType.Opaque));
        using SKCanvas canvas = new(bitmap);
        canvas.Clear(SKColors.White);
        using SKPaint paint = new() { Color = SKColors.Black, IsAntialias = true };
        fonts.Draw(canvas, label, 10, 26, 20, SKTextAlign.Left, paint);
        return bitmap;
    }
}
