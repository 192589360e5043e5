using System.Text.Json;

namespace Deit.Train.Options;

/// <summary>A file of options has a key that no flag has.</summary>
/// <param name="key">The key.</param>
/// <param name="known">The keys there are.</param>
internal sealed class UnknownKeyException(string key, IEnumerable<string> known)
    : JsonException($"it has the unknown key '{key}'; {Remedy(key, known)}")
{
    /// <summary>The mistake and its remedy, to follow the name of the file.</summary>
    public string Sentence { get; } = $"has the unknown key '{key}'; {Remedy(key, known)}.";

    // The remedy names the key that differs least from the unknown one: after a typing mistake it is the key that was
    // meant.
    private static string Remedy(string key, IEnumerable<string> known)
    {
        string nearest = known.MinBy(other => Distance(key, other))!;
        return Distance(key, nearest) <= 3
            ? $"did you mean '{nearest}'"
            : "its keys are the flags of deit train --help with underscores";
    }

    // The edit distance of Levenshtein.
    private static int Distance(string a, string b)
    {
        int[] row = [.. Enumerable.Range(0, b.Length + 1)];
        for (int i = 1; i <= a.Length; i++)
        {
            (int diagonal, row[0]) = (row[0], i);
            for (int j = 1; j <= b.Length; j++)
                (diagonal, row[j]) = (
                    row[j],
                    Math.Min(Math.Min(row[j], row[j - 1]) + 1, diagonal + (a[i - 1] == b[j - 1] ? 0 : 1))
                );
        }
        return row[^1];
    }
}
