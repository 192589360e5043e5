using System.Globalization;
using System.Text;
using Deit.Model.Text;
using SkiaSharp;

namespace Deit.Cli.Analysis;

/// <summary>
/// Measures and draws lines of text in any script. Characters that the font of this assembly has look the same on every machine. Others are
/// drawn by a font of the machine, and where none has one, its number takes its place: <c>\u{d55c}</c>.
/// </summary>
/// <param name="find">A font that has a character; null where there is none.</param>
internal sealed class LabelFonts(Func<int, SKTypeface?> find)
{
    // Latin, Greek and Cyrillic.
    private static readonly Lazy<SKTypeface> Own = new(() =>
    {
        using Stream stream = typeof(LabelFonts).Assembly.GetManifestResourceStream("DejaVuSansSubset.ttf")!;
        return SKTypeface.FromStream(stream);
    });

    /// <summary>The font of this assembly and those of the machine.</summary>
    public static LabelFonts OfMachine { get; } = new(SystemFonts.Find);

    /// <summary>Width of a line in pixels.</summary>
    public float Width(string text, float size) => Runs(text).Sum(run => Width(run, size));

    /// <summary>Draws a line from a point to the right.</summary>
    /// <param name="canvas">Where to.</param>
    /// <param name="text">The line.</param>
    /// <param name="x">The left end, the middle or the right end, as <paramref name="align"/> says.</param>
    /// <param name="y">The line that letters stand on.</param>
    /// <param name="size">Font size in pixels.</param>
    /// <param name="align">The part of the line that lies at x.</param>
    /// <param name="paint">The colour.</param>
    public void Draw(SKCanvas canvas, string text, float x, float y, float size, SKTextAlign align, SKPaint paint)
    {
        IReadOnlyList<TextRun> runs = Runs(text);
        float width = runs.Sum(run => Width(run, size));
        x -= align switch
        {
            SKTextAlign.Center => width / 2,
            SKTextAlign.Right => width,
            _ => 0,
        };
        foreach (TextRun run in runs)
        {
            using SKFont font = Font(run, size);
            canvas.DrawText(run.Text, x, y, SKTextAlign.Left, font, paint);
            x += font.MeasureText(run.Text);
        }
    }

    /// <summary>The line in pieces of one font each, from left to right.</summary>
    internal IReadOnlyList<TextRun> Runs(string text)
    {
        List<TextRun> runs = [];
        foreach (Rune rune in InOrderOfSight(Printable.Line(text)).EnumerateRunes())
        {
            SKTypeface? font =
                SystemFonts.Has(Own.Value, rune.Value) ? Own.Value
                : IsMark(rune) && runs is [.., var last] && SystemFonts.Has(last.Typeface, rune.Value) ? last.Typeface
                : IsInvisible(rune) ? null
                : find(rune.Value);
            if (font is not null)
                Add(rune.ToString(), font);
            else if (!IsInvisible(rune))
                Add($"\\u{{{rune.Value.ToString("x", CultureInfo.InvariantCulture)}}}", Own.Value);
        }
        return runs;

        void Add(string piece, SKTypeface font)
        {
            if (runs is [.., var last] && last.Typeface == font)
                runs[^1] = last with { Text = last.Text + piece };
            else
                runs.Add(new TextRun(piece, font));
        }
    }

    // Scripts that are written to the left come with their first letter first. Skia draws everything to the right: what belongs to such a
    // script is turned round, its blanks included. Letters that join others keep the form that they have alone.
    private static string InOrderOfSight(string text)
    {
        if (!text.EnumerateRunes().Any(IsToTheLeft))
            return text;
        List<string> letters = [];
        TextElementEnumerator elements = StringInfo.GetTextElementEnumerator(text);
        while (elements.MoveNext())
            letters.Add(elements.GetTextElement());
        for (int start = 0; start < letters.Count; start++)
        {
            if (!IsLeft(letters[start]))
                continue;
            int end = start;
            for (int at = start; at < letters.Count && (IsLeft(letters[at]) || letters[at] is " " or "-" or "_"); at++)
                if (IsLeft(letters[at]))
                    end = at;
            letters.Reverse(start, end - start + 1);
            start = end;
        }
        return string.Concat(letters);

        static bool IsLeft(string letter) => Rune.TryGetRuneAt(letter, 0, out Rune rune) && IsToTheLeft(rune);
    }

    // Hebrew, Arabic, Syriac, Thaana, NKo and their presentation forms.
    private static bool IsToTheLeft(Rune rune) =>
        rune.Value is (>= 0x590 and <= 0x8FF) or (>= 0xFB1D and <= 0xFDFF) or (>= 0xFE70 and <= 0xFEFC)
        && Rune.GetUnicodeCategory(rune) is not UnicodeCategory.DecimalDigitNumber;

    private static bool IsMark(Rune rune) =>
        Rune.GetUnicodeCategory(rune)
            is UnicodeCategory.NonSpacingMark
                or UnicodeCategory.SpacingCombiningMark
                or UnicodeCategory.EnclosingMark
                or UnicodeCategory.Format;

    // Joiners and selectors of variants: without them an emoji of several parts shows these one by one.
    private static bool IsInvisible(Rune rune) =>
        Rune.GetUnicodeCategory(rune) == UnicodeCategory.Format || rune.Value is >= 0xFE00 and <= 0xFE0F;

    private static float Width(TextRun run, float size)
    {
        using SKFont font = Font(run, size);
        return font.MeasureText(run.Text);
    }

    private static SKFont Font(TextRun run, float size) =>
        new(run.Typeface, size) { Edging = SKFontEdging.Antialias, Subpixel = true };
}

/// <summary>A piece of a line in one font.</summary>
/// <param name="Text">The piece.</param>
/// <param name="Typeface">The font, which has all of it.</param>
internal readonly record struct TextRun(string Text, SKTypeface Typeface);
