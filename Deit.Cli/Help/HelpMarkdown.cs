using System.Text;

namespace Deit.Cli.Help;

/// <summary>Pages of help as a chapter of the book.</summary>
internal static class HelpMarkdown
{
    private const int Columns = 120;

    /// <summary>The chapter.</summary>
    /// <param name="pages">The pages, that of the program first.</param>
    public static string Of(IReadOnlyList<HelpPage> pages)
    {
        StringBuilder text = new(
            """
            # Commands

            Every command and flag, as `deit help` shows them. This page is made from the program: run the tests of the
            class `CommandsPageTests` with `DEIT_COMMANDS_PAGE=write` after a change.


            """.ReplaceLineEndings("\n")
        );
        foreach (HelpPage page in pages)
        {
            text.Append($"## {page.Path}\n\n{page.Description}\n\n```text\n");
            foreach (Example example in page.Examples)
                text.Append($"{example.Line}\n    {example.Meaning}\n");
            text.Append(page.Examples.Count > 0 ? "\n" : "").Append($"{page.Usage}\n```\n\n");
            foreach (HelpSection section in page.Sections)
            {
                text.Append($"**{section.Title}**\n\n");
                foreach (HelpEntry entry in section.Entries)
                    text.Append(Entry(entry));
                text.Append('\n');
            }
        }
        return text.ToString().TrimEnd('\n') + '\n';
    }

    private static string Entry(HelpEntry entry)
    {
        StringBuilder text = new();
        int column = 0;
        foreach (string word in $"- `{entry.Term}` {Escaped(entry.Text)}".Split(' '))
        {
            bool breaks = column > 0 && column + 1 + word.Length > Columns;
            text.Append(
                    column == 0 ? ""
                    : breaks ? "\n  "
                    : " "
                )
                .Append(word);
            column = breaks ? 2 + word.Length : column + 1 + word.Length;
        }
        return text.Append('\n').ToString();
    }

    private static string Escaped(string text) =>
        text.Replace("<", "&lt;", StringComparison.Ordinal).Replace("*", "\\*", StringComparison.Ordinal);
}
