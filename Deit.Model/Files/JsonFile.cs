using System.Text;
using System.Text.Json;

namespace Deit.Model.Files;

/// <summary>
/// Reads files of JSON. JSON is UTF-8 without a byte order mark, but editors and shells of Windows put the mark in front, or write UTF-16:
/// whoever corrects a label there saves such a file. Both are read.
/// </summary>
internal static class JsonFile
{
    // The mark of UTF-32 little-endian begins with that of UTF-16: it is asked for first.
    private static readonly Encoding[] Marked =
    [
        new UTF8Encoding(encoderShouldEmitUTF8Identifier: true, throwOnInvalidBytes: true),
        new UTF32Encoding(bigEndian: false, byteOrderMark: true, throwOnInvalidCharacters: true),
        new UTF32Encoding(bigEndian: true, byteOrderMark: true, throwOnInvalidCharacters: true),
        new UnicodeEncoding(bigEndian: false, byteOrderMark: true, throwOnInvalidBytes: true),
        new UnicodeEncoding(bigEndian: true, byteOrderMark: true, throwOnInvalidBytes: true),
    ];

    /// <summary>The text of a file as UTF-8 without a mark.</summary>
    /// <param name="path">The file.</param>
    /// <exception cref="JsonException">It is something else, as a pointer of Git LFS, or breaks a rule of the encoding
    /// that its mark names.</exception>
    /// <exception cref="IOException">It cannot be read.</exception>
    /// <exception cref="UnauthorizedAccessException">It may not be read.</exception>
    public static ReadOnlyMemory<byte> Read(string path)
    {
        byte[] bytes = File.ReadAllBytes(path);
        // What lies there in place of the file is a better reason than the first character that is no JSON.
        FileNature nature = FileNature.Of(bytes, bytes.Length);
        if (nature.Kind == FileKind.Other && nature != FileNature.Json)
            throw new JsonException($"it is {nature.Name}: {nature.Remedy}");
        return Utf8(bytes);
    }

    /// <summary>The rest of a stream as UTF-8 without a mark.</summary>
    /// <inheritdoc cref="Read(string)"/>
    public static ReadOnlyMemory<byte> Read(Stream stream)
    {
        using MemoryStream bytes = new();
        stream.CopyTo(bytes);
        return Utf8(bytes.ToArray());
    }

    /// <summary>The same text as UTF-8 without a mark.</summary>
    /// <param name="text">UTF-8 with or without a mark, or UTF-16 or UTF-32 with one.</param>
    /// <exception cref="JsonException">It is marked as UTF-16 or UTF-32 and breaks a rule of that encoding.</exception>
    public static ReadOnlyMemory<byte> Utf8(byte[] text)
    {
        if (Array.Find(Marked, encoding => text.AsSpan().StartsWith(encoding.Preamble)) is not { } marked)
            return text;
        ReadOnlyMemory<byte> behind = text.AsMemory(marked.Preamble.Length);
        if (marked is UTF8Encoding)
            return behind;
        try
        {
            return Encoding.UTF8.GetBytes(marked.GetString(behind.Span));
        }
        catch (DecoderFallbackException error)
        {
            throw new JsonException($"its mark says {marked.WebName}, and it is none; save it as UTF-8", error);
        }
    }
}
