using System.Globalization;
using System.Text;

namespace Deit.Model.Text;

/// <summary>
/// Text as a line of a terminal, a log or a table can show it. Names of files and classes come from others: an escape
/// sequence in one could clear the screen, a line break could forge a second message.
/// </summary>
internal static class Printable
{
    /// <summary>
    /// The same text, in which each character that a terminal obeys instead of showing is written as its number:
    /// <c>\x1b</c>, or <c>\u{202e}</c> above a byte.
    /// </summary>
    /// <remarks>
    /// These are the control characters, the line and paragraph separators, the marks that change the direction of
    /// text, and halves of surrogate pairs, which have no UTF-8. Text without them is returned as it is.
    /// </remarks>
    /// <param name="text">A name, or a sentence with names in it.</param>
    public static string Line(string text)
    {
        StringBuilder? shown = null;
        for (int at = 0; at < text.Length; )
        {
            bool whole = Rune.TryGetRuneAt(text, at, out Rune rune);
            int length = whole ? rune.Utf16SequenceLength : 1;
            if (whole && !IsObeyed(rune))
                shown?.Append(text, at, length);
            else
                Escape(shown ??= new StringBuilder(text, 0, at, text.Length + 16), whole ? rune.Value : text[at]);
            at += length;
        }
        return shown?.ToString() ?? text;
    }

    private static void Escape(StringBuilder shown, int character)
    {
        string number = character.ToString("x2", CultureInfo.InvariantCulture);
        shown.Append(character < 0x100 ? $"\\x{number}" : $"\\u{{{number}}}");
    }

    private static bool IsObeyed(Rune rune) =>
        Rune.GetUnicodeCategory(rune)
            is UnicodeCategory.Control
                or UnicodeCategory.LineSeparator
                or UnicodeCategory.ParagraphSeparator
        || rune.Value is 0x061C or 0x200E or 0x200F or (>= 0x202A and <= 0x202E) or (>= 0x2066 and <= 0x2069);
}
