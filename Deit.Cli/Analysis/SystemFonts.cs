using System.Collections.Concurrent;
using SkiaSharp;

namespace Deit.Cli.Analysis;

/// <summary>Fonts of the machine, for characters that the font of this assembly lacks.</summary>
internal static class SystemFonts
{
    private const int MostFiles = 2000;
    private static readonly string[] Endings = [".ttf", ".otf", ".ttc"];

    // Upright fonts of usual weight are tried first, so that a label looks like its neighbours.
    private static readonly string[] Unlike =
    [
        "Bold",
        "Italic",
        "Oblique",
        "Light",
        "Thin",
        "Black",
        "Serif",
        "Mono",
        "Condensed",
    ];

    private static readonly ConcurrentDictionary<int, SKTypeface?> Known = new();
    private static readonly Lazy<IReadOnlyList<Lazy<SKTypeface?>>> Files = new(() =>
        [
            .. Folders()
                .SelectMany(In)
                .Take(MostFiles)
                .OrderBy(Unlikeness)
                .ThenBy(file => file, StringComparer.Ordinal)
                .Select(Open),
        ]
    );

    /// <summary>A font that has a character; null where no font of the machine has it.</summary>
    /// <param name="character">Its code point.</param>
    public static SKTypeface? Find(int character) => Known.GetOrAdd(character, Search);

    /// <summary>Whether a font has a character.</summary>
    public static bool Has(SKTypeface typeface, int character)
    {
        using SKFont font = new(typeface);
        return font.ContainsGlyph(character);
    }

    // Skia as it comes for Linux knows no fonts of the system: their files are looked through.
    private static SKTypeface? Search(int character) =>
        SKFontManager.Default.MatchCharacter(character) is { } matched && Has(matched, character)
            ? matched
            : Files.Value.Select(file => file.Value).FirstOrDefault(font => font is not null && Has(font, character));

    private static Lazy<SKTypeface?> Open(string file) => new(() => SKTypeface.FromFile(file));

    private static int Unlikeness(string file) =>
        Unlike.Count(word => Path.GetFileName(file).Contains(word, StringComparison.Ordinal));

    private static IEnumerable<string> Folders()
    {
        if (!OperatingSystem.IsLinux())
            return []; // Skia asks the system
        string home = Environment.GetFolderPath(
            Environment.SpecialFolder.UserProfile,
            Environment.SpecialFolderOption.DoNotVerify
        );
        return
        [
            Path.Combine(home, ".local", "share", "fonts"),
            Path.Combine(home, ".fonts"),
            "/usr/local/share/fonts",
            "/usr/share/fonts",
        ];
    }

    private static IEnumerable<string> In(string folder) =>
        Directory.Exists(folder)
            ? Directory
                .EnumerateFiles(
                    folder,
                    "*",
                    new EnumerationOptions
                    {
                        RecurseSubdirectories = true,
                        IgnoreInaccessible = true,
                        MaxRecursionDepth = 6,
                    }
                )
                .Where(file => Endings.Contains(Path.GetExtension(file).ToLowerInvariant()))
            : [];
}
