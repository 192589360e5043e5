using System.Collections.Frozen;

namespace Deit.Train.Data.Formats;

/// <summary>Which files are pictures, and which of them are read, by the ends of their names.</summary>
internal static class PictureFiles
{
    private const int LongestMark = 12;

    /// <summary>The ends of files that the decoder reads.</summary>
    public static IReadOnlyList<string> Extensions { get; } =
    [".jpg", ".jpeg", ".png", ".webp", ".gif", ".bmp", ".jfif", ".jpe", ".jif", ".apng", ".dib"];

    private static readonly FrozenSet<string> ReadOnes = Extensions.ToFrozenSet(StringComparer.OrdinalIgnoreCase);

    private static readonly FrozenSet<string> OtherPictures = FrozenSet.Create(
        StringComparer.OrdinalIgnoreCase,
        ".tif .tiff .ppm .pgm .pbm .pnm .pam .heic .heif .hif .avif .jxl .jp2 .j2k .jpx .svg .ico .cur .psd .xcf .tga .pcx"
            .Split(' ')
            .Concat(".exr .hdr .eps .raw .cr2 .cr3 .nef .dng .arw .orf .rw2 .raf .srw .pef .dcm .qoi".Split(' '))
            .ToArray()
    );

    /// <summary>Whether a file of this name is a picture that is read.</summary>
    public static bool IsRead(string name) => ReadOnes.Contains(Path.GetExtension(name));

    /// <summary>Whether a file of this name is a picture of a kind that is not read.</summary>
    public static bool IsOther(string name) => OtherPictures.Contains(Path.GetExtension(name));

    /// <summary>Whether a file begins as a picture that could be read under another name.</summary>
    public static bool BeginsAsPicture(string path)
    {
        try
        {
            // A pipe has no length, and would be waited for.
            if (new FileInfo(path).Length < LongestMark)
                return false;
            Span<byte> start = stackalloc byte[LongestMark];
            using FileStream stream = new(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite, bufferSize: 0);
            stream.ReadExactly(start);
            return start.StartsWith((ReadOnlySpan<byte>)[0xFF, 0xD8, 0xFF])
                || start.StartsWith((ReadOnlySpan<byte>)[0x89, (byte)'P', (byte)'N', (byte)'G'])
                || start.StartsWith("GIF8"u8)
                || (start.StartsWith("RIFF"u8) && start.EndsWith("WEBP"u8));
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    /// <summary>The pictures that lie in a folder itself and are read, in no order. Hidden ones are passed over.</summary>
    public static IEnumerable<string> In(string folder) =>
        Directory
            .EnumerateFiles(folder)
            .Where(file => Path.GetFileName(file) is var name && name[0] != '.' && IsRead(name));

    /// <summary>Whether pictures lie in a folder itself.</summary>
    public static bool LieIn(string folder) => In(folder).Any();
}
