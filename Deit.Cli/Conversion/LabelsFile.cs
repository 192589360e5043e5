using System.Text;
using System.Text.Json;
using Deit.Model.Files;

namespace Deit.Cli.Conversion;

/// <summary>
/// The class names in a file that a user gives: a line each, or JSON as the lists of ImageNet's classes have it. A text is UTF-8: names in
/// another encoding would be read as other names, and so are refused.
/// </summary>
internal static class LabelsFile
{
    private const string Expected = "give a text file with a class name a line";

    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: true, throwOnInvalidBytes: true);

    /// <summary>Reads the names.</summary>
    /// <param name="path">The file.</param>
    /// <param name="classes">The number of classes that the model has.</param>
    /// <exception cref="DeitException">It cannot be read, is in another encoding, or names another number of classes.</exception>
    public static string[] Read(string path, int classes)
    {
        byte[] bytes = Bytes(path);
        string[] labels = Json(bytes, path) ?? Lines(bytes, path);
        return labels.Length == classes
            ? labels
            : throw new DeitException(
                DeitErrorKind.Data,
                $"--labels '{path}' names {labels.Length} classes, the model has {classes}; {Expected}."
            );
    }

    private static byte[] Bytes(string path)
    {
        try
        {
            return File.ReadAllBytes(path);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or ArgumentException)
        {
            throw new DeitException(
                DeitErrorKind.Data,
                $"Reading --labels '{path}' failed: {ReadFailure.Reason(path, error)}; {Expected}.",
                error
            );
        }
    }

    private static string[] Lines(ReadOnlySpan<byte> bytes, string path)
    {
        if (bytes.StartsWith(Strict.Preamble))
            bytes = bytes[Strict.Preamble.Length..];
        if (bytes.StartsWith((byte[])[0xFF, 0xFE]) || bytes.StartsWith((byte[])[0xFE, 0xFF]) || bytes.Contains((byte)0))
            throw new DeitException(
                DeitErrorKind.Data,
                $"--labels '{path}' is no UTF-8 from line 1 on, but UTF-16 or no text; save it as UTF-8."
            );
        List<string> labels = [];
        int number = 0;
        foreach (Range range in bytes.SplitAny((byte)'\n', (byte)'\r'))
        {
            // A carriage return before a line feed ends no line of its own.
            bool halfEnd = range.End.Value > 0 && range.End.Value < bytes.Length && bytes[range.End.Value] == '\r';
            bool pair = halfEnd && range.End.Value + 1 < bytes.Length && bytes[range.End.Value + 1] == '\n';
            if (!pair)
                number++;
            string line;
            try
            {
                line = Strict.GetString(bytes[range]).Trim();
            }
            catch (DecoderFallbackException error)
            {
                throw new DeitException(
                    DeitErrorKind.Data,
                    $"--labels '{path}' is no UTF-8 in line {(pair ? number + 1 : number)}; save it as UTF-8.",
                    error
                );
            }
            if (line.Length > 0)
                labels.Add(line);
        }
        if (labels is [var first, ..] && first.StartsWith("{0:", StringComparison.Ordinal))
            throw new DeitException(DeitErrorKind.Data, $"--labels '{path}' is a dictionary of Python; {Expected}.");
        return [.. labels];
    }

    // A list of names, or an object of names or of lists that end with a name, by index; null of a file that is no JSON.
    private static string[]? Json(byte[] bytes, string path)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(JsonFile.Utf8(bytes));
            JsonElement root = document.RootElement;
            if (root.ValueKind == JsonValueKind.Array)
                return [.. root.EnumerateArray().Select(Name)];
            if (root.ValueKind != JsonValueKind.Object)
                return null;
            int count = root.EnumerateObject().Count();
            return
            [
                .. Enumerable
                    .Range(0, count)
                    .Select(index =>
                        root.TryGetProperty($"{index}", out JsonElement name)
                            ? Name(name)
                            : throw new DeitException(
                                DeitErrorKind.Data,
                                $"--labels '{path}' has {count} entries and none for the index {index}; {Expected}."
                            )
                    ),
            ];
        }
        catch (JsonException)
        {
            return null;
        }

        string Name(JsonElement element) =>
            element.ValueKind == JsonValueKind.String ? element.GetString()!
            : element.ValueKind == JsonValueKind.Array && element.GetArrayLength() > 0
                ? Name(element[element.GetArrayLength() - 1])
            : throw new DeitException(
                DeitErrorKind.Data,
                $"--labels '{path}' has an entry that is no name; {Expected}."
            );
    }
}
