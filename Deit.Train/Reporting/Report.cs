using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Deit.Model.Files;
using Deit.Model.Text;

namespace Deit.Train.Reporting;

/// <summary>The forms of figures in reports: numbers, JSON, comma-separated values, text files.</summary>
internal static class Report
{
    /// <summary>Names in snake case; labels stay readable in any script.</summary>
    public static JsonSerializerOptions Json { get; } =
        new()
        {
            WriteIndented = true,
            PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
            Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        };

    /// <summary>The same without breaks, for a line each.</summary>
    public static JsonSerializerOptions JsonLine { get; } = new(Json) { WriteIndented = false };

    /// <summary>A number as it is shown; a dash where there is none.</summary>
    public static string Number(double value, string format) =>
        double.IsNaN(value) ? "-" : value.ToString(format, CultureInfo.InvariantCulture);

    /// <summary>A number as JSON has it, which knows no NaN.</summary>
    public static double? Finite(double value) => double.IsFinite(value) ? value : null;

    /// <summary>
    /// Lines of comma-separated values (RFC 4180). People look at them in terminals, so that control characters of names
    /// are shown by number; JSON has the names as they are.
    /// </summary>
    public static string Csv(IEnumerable<IEnumerable<string>> rows) =>
        string.Concat(rows.Select(row => CsvRow(row.Select(Printable.Line))));

    /// <summary>A line of comma-separated values (RFC 4180), which have every character as it is.</summary>
    public static string CsvRow(IEnumerable<string> values)
    {
        return string.Join(',', values.Select(Field)) + '\n';

        static string Field(string value) =>
            value.AsSpan().ContainsAny(",\"\r\n")
                ? $"\"{value.Replace("\"", "\"\"", StringComparison.Ordinal)}\""
                : value;
    }

    /// <summary>Writes a text file, as a whole or not at all.</summary>
    /// <exception cref="DeitException">It cannot be written.</exception>
    public static void WriteText(string path, string text) =>
        AtomicFile.Write(path, stream => stream.Write(Encoding.UTF8.GetBytes(text)));

    /// <summary>Whether a file is a JSON object with a key, as a report of ours.</summary>
    public static bool HasKey(string path, string key)
    {
        try
        {
            if (!File.Exists(path))
                return false;
            using JsonDocument json = JsonDocument.Parse(File.ReadAllBytes(path));
            return json.RootElement.ValueKind == JsonValueKind.Object && json.RootElement.TryGetProperty(key, out _);
        }
        catch (Exception error) when (error is JsonException or IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    /// <summary>Makes a folder for results where there is none.</summary>
    /// <param name="path">The folder.</param>
    /// <param name="flag">The flag or argument by which the user may choose another.</param>
    /// <exception cref="DeitException">It cannot be made.</exception>
    public static void MakeFolder(string path, string flag)
    {
        try
        {
            Directory.CreateDirectory(path);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or ArgumentException)
        {
            throw new DeitException(
                DeitErrorKind.Output,
                $"Making the folder '{path}' failed: {error.Message.TrimEnd('.')}; choose another {flag}.",
                error
            );
        }
    }
}
