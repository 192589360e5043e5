using System.Text;

namespace Deit.Train.Data.Names;

/// <summary>Reads text from others, which is UTF-8 or is refused: a wrong letter would become another name.</summary>
internal static class Utf8Text
{
    private static readonly UTF8Encoding Strict = new(
        encoderShouldEmitUTF8Identifier: false,
        throwOnInvalidBytes: true
    );

    /// <summary>The character that stands for bytes that are no UTF-8 in the names of files.</summary>
    public const char Replacement = '\uFFFD';

    /// <summary>The text of some bytes without a byte order mark; null where they are no UTF-8.</summary>
    public static string? Decode(ReadOnlySpan<byte> bytes)
    {
        if (bytes.StartsWith(Encoding.UTF8.Preamble))
            bytes = bytes[Encoding.UTF8.Preamble.Length..];
        try
        {
            return Strict.GetString(bytes);
        }
        catch (DecoderFallbackException)
        {
            return null;
        }
    }

    /// <summary>The lines of a file's bytes.</summary>
    /// <param name="path">The name of the file in errors.</param>
    /// <param name="bytes">Its bytes; a byte order mark of UTF-8 is passed over.</param>
    /// <exception cref="DeitException">A line is no UTF-8, or the file is UTF-16.</exception>
    public static List<string> Lines(string path, ReadOnlySpan<byte> bytes)
    {
        List<string> lines = [];
        while (!bytes.IsEmpty)
        {
            int end = bytes.IndexOf((byte)'\n');
            ReadOnlySpan<byte> line = end < 0 ? bytes : bytes[..end];
            bytes = end < 0 ? [] : bytes[(end + 1)..];
            string? text = Decode(line);
            // Zeros are the mark of UTF-16, whose letters of English have one each.
            if (text is null || text.Contains('\0', StringComparison.Ordinal))
                throw new DeitException(
                    DeitErrorKind.Data,
                    $"Reading '{path}' failed: line {lines.Count + 1} is no UTF-8; save the file in that encoding."
                );
            lines.AddRange(text.TrimEnd('\r').Split('\r'));
        }
        return lines;
    }
}
