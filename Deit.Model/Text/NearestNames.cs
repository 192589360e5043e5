namespace Deit.Model.Text;

/// <summary>Finds the names that somebody may have meant by one that does not exist.</summary>
internal static class NearestNames
{
    private const int Most = 3;

    /// <summary>A question to follow an error, as <c>did you mean 'lr' or 'min-lr'</c>.</summary>
    /// <param name="name">The name that does not exist.</param>
    /// <param name="known">The names that do.</param>
    /// <returns>The question without its end; null where no name is near.</returns>
    public static string? Question(string name, IEnumerable<string> known)
    {
        string[] near = Of(name, known);
        return near.Length == 0 ? null : $"did you mean {string.Join(" or ", near.Select(other => $"'{other}'"))}";
    }

    /// <summary>The names that are near, the nearest first, three at most.</summary>
    /// <remarks>
    /// A name is near where it takes few edits to type it, about a third of its letters, or where one of both begins
    /// with the other: <c>deit_tiny</c> means <c>deit_tiny_patch16_224</c>.
    /// </remarks>
    /// <param name="name">The name that does not exist.</param>
    /// <param name="known">The names that do.</param>
    public static string[] Of(string name, IEnumerable<string> known)
    {
        (string Name, int Edits)[] near =
        [
            .. known
                .Distinct(StringComparer.Ordinal)
                .Select(other => (Name: other, Edits: Distance(name, other)))
                .Where(other =>
                    other.Edits <= Math.Max(1, (Math.Min(name.Length, other.Name.Length) + 1) / 3)
                    || IsBeginning(name, other.Name)
                )
                .OrderBy(other => other.Edits)
                .ThenBy(other => other.Name, StringComparer.Ordinal),
        ];
        // Where a slip of a letter explains the name, the others are noise.
        return [.. near.Where(other => near[0].Edits > 1 || other.Edits <= 1).Take(Most).Select(other => other.Name)];
    }

    private static bool IsBeginning(string name, string other) =>
        Math.Min(name.Length, other.Length) >= 3
        && (
            other.StartsWith(name, StringComparison.OrdinalIgnoreCase)
            || name.StartsWith(other, StringComparison.OrdinalIgnoreCase)
        );

    // The edits of Levenshtein, and two neighbours exchanged as one edit; upper and lower case are the same.
    private static int Distance(string a, string b)
    {
        (a, b) = (a.ToUpperInvariant(), b.ToUpperInvariant());
        int[,] edits = new int[a.Length + 1, b.Length + 1];
        for (int i = 0; i <= a.Length; i++)
            edits[i, 0] = i;
        for (int j = 0; j <= b.Length; j++)
            edits[0, j] = j;
        for (int i = 1; i <= a.Length; i++)
        for (int j = 1; j <= b.Length; j++)
        {
            int changed = edits[i - 1, j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
            edits[i, j] = Math.Min(Math.Min(edits[i - 1, j], edits[i, j - 1]) + 1, changed);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                edits[i, j] = Math.Min(edits[i, j], edits[i - 2, j - 2] + 1);
        }
        return edits[a.Length, b.Length];
    }
}
