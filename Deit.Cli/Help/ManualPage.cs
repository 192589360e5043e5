using System.Text;

namespace Deit.Cli.Help;

/// <summary>Pages of help as manual pages of Unix, in roff with the macros of man(7).</summary>
internal static class ManualPage
{
    /// <summary>The file of a page, as <c>deit-bench-ops.1</c>.</summary>
    /// <param name="page">The page.</param>
    public static string FileOf(HelpPage page) => $"{Name(page)}.1";

    /// <summary>A manual page.</summary>
    /// <param name="page">The page.</param>
    /// <param name="version">The version of the program.</param>
    /// <param name="others">The other pages, which it refers to.</param>
    public static string Of(HelpPage page, string version, IEnumerable<HelpPage> others)
    {
        StringBuilder text = new();
        text.Append($".TH {Name(page).ToUpperInvariant()} 1 \"\" \"deit {version}\" \"Deit\"\n");
        text.Append(".nh\n.ad l\n");
        text.Append($".SH NAME\n{Name(page)} \\- {Escaped(page.Description.TrimEnd('.'))}\n");
        text.Append($".SH SYNOPSIS\n.B {Escaped(page.Usage)}\n");
        if (page.Examples.Count > 0)
            text.Append(".SH EXAMPLES\n");
        foreach (Example example in page.Examples)
            text.Append($".TP\n.B {Escaped(example.Line)}\n{Escaped(example.Meaning)}\n");
        foreach (HelpSection section in page.Sections)
        {
            text.Append($".SH {Escaped(section.Title.ToUpperInvariant())}\n");
            foreach (HelpEntry entry in section.Entries)
                text.Append($".TP\n.B {Escaped(entry.Term)}\n{Escaped(entry.Text)}\n");
        }
        string see = string.Join(
            ",\n",
            others.Where(other => IsNear(page, other)).Select(other => $".BR {Name(other)} (1)")
        );
        if (see.Length > 0)
            text.Append($".SH SEE ALSO\n{see.Replace("),\n", ") ,\n", StringComparison.Ordinal)}\n");
        return text.ToString();
    }

    // The commands in this one, and the command that it is in.
    private static bool IsNear(HelpPage page, HelpPage other) =>
        IsIn(other.Path, page.Path) || IsIn(page.Path, other.Path);

    private static bool IsIn(string inner, string outer) =>
        inner.StartsWith($"{outer} ", StringComparison.Ordinal) && !inner[(outer.Length + 1)..].Contains(' ');

    private static string Name(HelpPage page) => page.Path.Replace(' ', '-');

    // A point or a quote at the beginning of a line is a request of roff.
    private static string Escaped(string text)
    {
        string escaped = text.Replace(@"\", @"\e", StringComparison.Ordinal)
            .Replace("-", @"\-", StringComparison.Ordinal);
        return escaped.StartsWith('.') || escaped.StartsWith('\'') ? @"\&" + escaped : escaped;
    }
}
