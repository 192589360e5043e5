using System.Text;
using System.Text.Json;
using Deit.Cli.Terminal;
using Deit.Train.Data.Inspection;
using Deit.Train.Reporting;

namespace Deit.Cli.Commands;

/// <summary>The files of <c>deit check</c>: a page and JSON, which replace those of an earlier check and nothing else.</summary>
internal static class CheckFiles
{
    private const string PageFile = "check.html",
        JsonFile = "check.json";

    // The title lies behind less than this of every page.
    private const int HeadLength = 2000;

    /// <summary>Refuses a file that is no page of an earlier check.</summary>
    /// <param name="flag">The flag that names it.</param>
    /// <param name="file">The file.</param>
    /// <exception cref="DeitException">It would be lost.</exception>
    public static void RequireOwnPage(string flag, string file)
    {
        if (!IsFreeOr(file, HasTitle))
            throw new DeitException(
                DeitErrorKind.Output,
                $"{flag} '{file}' exists and is no page of a check, and would be lost; move it elsewhere, or choose another "
                    + $"{flag}."
            );
    }

    /// <summary>Refuses a folder that holds a file of the same name as one of a check, and that is none.</summary>
    /// <param name="flag">The flag that names it.</param>
    /// <param name="folder">The folder.</param>
    /// <exception cref="DeitException">A file would be lost.</exception>
    public static void RequireOwnFolder(string flag, string folder)
    {
        bool page = IsFreeOr(Path.Combine(folder, PageFile), HasTitle),
            json = IsFreeOr(Path.Combine(folder, JsonFile), file => Report.HasKey(file, "verdict"));
        if (!page || !json)
            throw new DeitException(
                DeitErrorKind.Output,
                $"'{folder}' holds '{(page ? JsonFile : PageFile)}', which is not of a check, and would lose it; move it elsewhere, "
                    + $"or choose another {flag}."
            );
    }

    /// <summary>Refuses a folder that cannot be made. Nothing stays of the attempt: data that cannot be read leaves no folder.</summary>
    /// <param name="flag">The flag that names it.</param>
    /// <param name="folder">The folder.</param>
    /// <exception cref="DeitException">It cannot be made.</exception>
    public static void RequireMakeable(string flag, string folder)
    {
        List<string> made = [];
        for (
            string? missing = Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder));
            missing is not null && !Path.Exists(missing);
            missing = Path.GetDirectoryName(missing)
        )
            made.Add(missing);
        Report.MakeFolder(folder, flag);
        try
        {
            foreach (string empty in made)
                Directory.Delete(empty);
        }
        catch (IOException)
        {
            // Another program put something there, and the folder stays.
        }
    }

    /// <summary>Writes the files that were asked for.</summary>
    /// <param name="inspection">What was found.</param>
    /// <param name="options">The places of the files.</param>
    /// <exception cref="DeitException">They cannot be written.</exception>
    public static void Write(Inspection inspection, CheckOptions options)
    {
        string[] pages =
        [
            .. options.Html is { } file ? [file] : (string[])[],
            .. options.Output is { } place ? [Path.Combine(place, PageFile)] : (string[])[],
        ];
        if (options.Output is { } made)
            Report.MakeFolder(made, "--output");
        if (pages.Length > 0)
        {
            string page = new CheckPage(inspection).ToHtml();
            foreach (string path in pages)
                Report.WriteText(path, page);
        }
        if (options.Output is { } folder)
            Report.WriteText(
                Path.Combine(folder, JsonFile),
                JsonSerializer.Serialize(CheckJson.Of(inspection), Report.Json)
            );
        if (pages.Length > 0 && !options.Json)
            Output.Line($"Page     {string.Join(", ", pages)}");
    }

    // An empty file holds nothing that could be lost.
    private static bool IsFreeOr(string file, Func<string, bool> isOwn) =>
        !Path.Exists(file) || (File.Exists(file) && (new FileInfo(file).Length == 0 || isOwn(file)));

    private static bool HasTitle(string file)
    {
        try
        {
            using StreamReader reader = new(file, Encoding.UTF8);
            char[] head = new char[HeadLength];
            int length = reader.ReadBlock(head);
            return head.AsSpan(0, length).Contains($"<title>{CheckPage.Title}", StringComparison.Ordinal);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }
}
