using System.Globalization;
using System.Text;

namespace Deit.Train.Data.Names;

/// <summary>
/// One spelling for names that look the same. "é" is one character, or an "e" and an accent that goes over it: Linux and
/// Windows write the first, archives from a Mac the second. Both have the same canonical form, in which every character
/// is taken apart (Unicode's NFD).
/// </summary>
/// <remarks>The program runs without ICU, and <see cref="string.Normalize()"/> then does nothing.</remarks>
internal static class CanonicalForm
{
    private const int FirstSyllable = 0xAC00,
        Syllables = 11172,
        FirstLead = 0x1100,
        FirstVowel = 0x1161,
        BeforeTails = 0x11A7,
        Vowels = 21,
        Tails = 28;

    // Read when the first name of more than ASCII is met.
    private static readonly Lazy<Tables> Known = new(Tables.Read);

    /// <summary>The canonical form of a name; two names that differ in their Unicode form alone have the same.</summary>
    public static string Of(string name)
    {
        if (Ascii.IsValid(name))
            return name;
        List<int> parts = [];
        for (int at = 0; at < name.Length; )
        {
            bool whole = Rune.TryGetRuneAt(name, at, out Rune rune);
            TakeApart(whole ? rune.Value : name[at], parts);
            at += whole ? rune.Utf16SequenceLength : 1;
        }
        SortMarks(parts);
        StringBuilder text = new(parts.Count);
        foreach (int part in parts)
            if (part > char.MaxValue)
                text.Append(char.ConvertFromUtf32(part));
            else
                text.Append((char)part);
        return text.ToString();
    }

    private static void TakeApart(int character, List<int> parts)
    {
        int syllable = character - FirstSyllable;
        if (syllable is >= 0 and < Syllables)
        {
            parts.Add(FirstLead + (syllable / (Vowels * Tails)));
            parts.Add(FirstVowel + (syllable / Tails % Vowels));
            if (syllable % Tails > 0)
                parts.Add(BeforeTails + (syllable % Tails));
        }
        else if (Known.Value.Parts.TryGetValue(character, out int[]? known))
            parts.AddRange(known);
        else
            parts.Add(character);
    }

    // Marks over and under a letter may be typed in any order. Each run of them is sorted by its classes; marks of one
    // class, which would change places with each other, stay.
    private static void SortMarks(List<int> parts)
    {
        Dictionary<int, int> classes = Known.Value.Classes;
        for (int i = 1; i < parts.Count; i++)
        {
            int mark = parts[i],
                order = classes.GetValueOrDefault(mark),
                place = i;
            if (order == 0)
                continue;
            for (; place > 0 && classes.GetValueOrDefault(parts[place - 1]) > order; place--)
                parts[place] = parts[place - 1];
            parts[place] = mark;
        }
    }

    /// <summary>The characters that have parts, and the classes of the marks.</summary>
    private sealed record Tables(Dictionary<int, int[]> Parts, Dictionary<int, int> Classes)
    {
        public static Tables Read()
        {
            using Stream stream = typeof(CanonicalForm).Assembly.GetManifestResourceStream("canonical.txt")!;
            using StreamReader reader = new(stream);
            Tables tables = new([], []);
            while (reader.ReadLine() is { } line)
                if (line.StartsWith('#'))
                    continue;
                else if (line.Contains('=', StringComparison.Ordinal))
                {
                    string[] sides = line.Split(" = ");
                    tables.Parts[Code(sides[0])] = [.. sides[1].Split(' ').Select(Code)];
                }
                else
                {
                    string[] fields = line.Split('-', ':');
                    for (int code = Code(fields[0]); code <= Code(fields[1]); code++)
                        tables.Classes[code] = int.Parse(fields[2], CultureInfo.InvariantCulture);
                }
            return tables;
        }

        private static int Code(string hexadecimal) =>
            int.Parse(hexadecimal, NumberStyles.HexNumber, CultureInfo.InvariantCulture);
    }
}
