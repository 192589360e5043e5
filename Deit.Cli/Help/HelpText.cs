using System.Text;

namespace Deit.Cli.Help;

/// <summary>A page of help as text of a given width.</summary>
internal static class HelpText
{
    private const int Narrowest = 40,
        Widest = 120,
        Indent = 2,
        // The column of explanations, and that of narrow terminals, where they stand below their words.
        Column = 26,
        NarrowColumn = 6,
        Narrow = 72;

    /// <summary>Lays a page out.</summary>
    /// <param name="page">The page.</param>
    /// <param name="width">Columns of the terminal. Words that are longer are not broken.</param>
    /// <returns>Lines with an end each.</returns>
    public static string Of(HelpPage page, int width)
    {
        width = Math.Clamp(width, Narrowest, Widest);
        StringBuilder text = new();
        Paragraph(text, page.Description, 0, width);
        if (page.Examples.Count > 0)
        {
            text.Append("\nExamples\n");
            foreach (Example example in page.Examples)
            {
                CommandLine(text, example.Line, width);
                Paragraph(text, example.Meaning, NarrowColumn, width);
            }
        }
        text.Append("\nUsage\n");
        Paragraph(text, page.Usage, Indent, width);
        foreach (HelpSection section in page.Sections)
        {
            text.Append('\n').Append(section.Title).Append('\n');
            foreach (HelpEntry entry in section.Entries)
                Entry(text, entry, width);
        }
        return text.ToString();
    }

    private static void Entry(StringBuilder text, HelpEntry entry, int width)
    {
        int column = width < Narrow ? NarrowColumn : Column;
        string term = new string(' ', Indent) + entry.Term;
        bool beside = term.Length + Indent <= column;
        if (beside)
            text.Append(term.PadRight(column));
        else
            Paragraph(text, entry.Term, Indent, width);
        StringBuilder explanation = new();
        Paragraph(explanation, entry.Text, column, width);
        text.Append(beside ? explanation.ToString().TrimStart(' ') : explanation.ToString());
    }

    private static void Paragraph(StringBuilder text, string paragraph, int indent, int width)
    {
        foreach (string line in Lines(paragraph, width - indent))
            text.Append(' ', indent).Append(line).Append('\n');
    }

    // A shell reads a line that ends with a backslash and the next one as one.
    private static void CommandLine(StringBuilder text, string line, int width)
    {
        string[] lines = [.. Lines(line, width - NarrowColumn)];
        for (int i = 0; i < lines.Length; i++)
            text.Append(' ', i == 0 ? Indent : 2 * Indent)
                .Append(lines[i])
                .Append(i < lines.Length - 1 ? " \\\n" : "\n");
    }

    private static IEnumerable<string> Lines(string paragraph, int width)
    {
        StringBuilder line = new();
        foreach (string word in paragraph.Split(' ', StringSplitOptions.RemoveEmptyEntries))
        {
            if (line.Length > 0 && line.Length + 1 + word.Length > width)
            {
                yield return line.ToString();
                line.Clear();
            }
            line.Append(line.Length > 0 ? " " : "").Append(word);
        }
        if (line.Length > 0)
            yield return line.ToString();
    }
}
