using System.Text;

namespace Deit.Tests.Cli.Help;

/// <summary>Command lines in help and in the book, taken apart as a shell does.</summary>
internal static class ExampleLines
{
    /// <summary>The arguments of <c>deit</c> in a line. What a pipe or a redirection adds is left out.</summary>
    /// <param name="line">The line.</param>
    public static string[] Arguments(string line)
    {
        string[] words = [.. Words(line)];
        int start = Array.FindIndex(words, word => word is "deit" or "./deit" or "<(deit");
        string[] rest = words[(start + 1)..];
        int end = Array.FindIndex(rest, word => word is "|" or ">" or "&&" or "2>" or "<" or ";" or "&" or "||");
        return [.. (end < 0 ? rest : rest[..end]).Select(word => words[start] == "<(deit" ? word.TrimEnd(')') : word)];
    }

    private static IEnumerable<string> Words(string line)
    {
        StringBuilder word = new();
        char quote = '\0';
        bool any = false;
        foreach (char letter in line)
        {
            if (quote != '\0')
            {
                if (letter == quote)
                    quote = '\0';
                else
                    word.Append(letter);
            }
            else if (letter is '\'' or '"')
                (quote, any) = (letter, true);
            else if (letter == ' ')
            {
                if (any || word.Length > 0)
                    yield return word.ToString();
                (any, _) = (false, word.Clear());
            }
            else
                word.Append(letter);
        }
        if (any || word.Length > 0)
            yield return word.ToString();
    }
}
