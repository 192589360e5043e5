using System.Buffers.Binary;
using System.Globalization;
using System.IO.Compression;
using System.Text;

namespace Deit.Model.Images;

/// <summary>
/// Reads the orientation of a PNG, which the decoder itself leaves alone. It is looked for where Pillow looks: in the EXIF of the chunk
/// eXIf; without that chunk in the text "Raw profile type exif", which older programs wrote; and where the EXIF has none, in the XMP text.
/// Chunks may stand before and behind the picture. What cannot be read has no orientation, as in the other formats.
/// </summary>
internal static class PngOrientation
{
    private const ushort OrientationTag = 0x0112,
        ShortType = 3,
        LongType = 4;
    private const int Upright = 1,
        ChunkFrame = 12; // length, name and checksum

    // Pillow reads texts of at most this many bytes; a text that unpacks to more is not looked at.
    private const int LongestText = 1 << 20;

    // Pillow reads at most this many bytes of all texts of a file together. A file of a megabyte could unpack to gigabytes. A
    // text counts a little even if it is empty, since there could be a million of those.
    private const int AllTexts = 64 << 20,
        LeastCount = 64 << 10;

    private const string Profile = "Raw profile type exif",
        Xmp = "XML:com.adobe.xmp",
        XmpOrientation = "tiff:Orientation";

    private static ReadOnlySpan<byte> Signature => [0x89, (byte)'P', (byte)'N', (byte)'G', 0x0D, 0x0A, 0x1A, 0x0A];

    /// <summary>The EXIF orientation, 1 to 8; 1 where the file has none.</summary>
    /// <param name="png">The encoded picture.</param>
    public static int Of(ReadOnlySpan<byte> png)
    {
        if (!png.StartsWith(Signature))
            return Upright;
        byte[]? exif = null;
        string? profile = null,
            xmp = null;
        int unpacked = 0; // bytes of all texts
        for (ReadOnlySpan<byte> rest = png[Signature.Length..]; rest.Length >= ChunkFrame; )
        {
            uint length = BinaryPrimitives.ReadUInt32BigEndian(rest);
            if (length > rest.Length - ChunkFrame)
                break;
            ReadOnlySpan<byte> name = rest[4..8],
                data = rest.Slice(8, (int)length);
            if (name.SequenceEqual("eXIf"u8))
                exif = data.ToArray();
            else if (unpacked < AllTexts && Text(name, data, ref unpacked) is { } text)
                (profile, xmp) =
                    text.Key == Profile ? (text.Value, xmp)
                    : text.Key == Xmp ? (profile, text.Value)
                    : (profile, xmp);
            rest = rest[(ChunkFrame + (int)length)..];
        }
        int? tagged = InTiff(exif ?? (profile is null ? [] : FromHex(profile))) ?? InXmp(xmp);
        return tagged is >= 1 and <= 8 ? tagged.Value : Upright;
    }

    // Key and value of a text chunk; null of any other, and of one that cannot be unpacked.
    private static (string Key, string Value)? Text(ReadOnlySpan<byte> name, ReadOnlySpan<byte> data, ref int unpacked)
    {
        bool plain = name.SequenceEqual("tEXt"u8),
            packed = name.SequenceEqual("zTXt"u8),
            international = name.SequenceEqual("iTXt"u8);
        int end = data.IndexOf((byte)0);
        if (!(plain || packed || international) || end < 0)
            return null;
        string key = Encoding.Latin1.GetString(data[..end]);
        if (key is not (Profile or Xmp))
            return null;
        data = data[(end + 1)..];
        if (plain)
            return (key, Encoding.Latin1.GetString(data));
        if (packed)
            return data.Length > 1 && Unpacked(data[1..], ref unpacked) is { } value
                ? (key, Encoding.Latin1.GetString(value))
                : null;
        // A flag for packing, the method, then language and translated key, each ended by a zero.
        if (data.Length < 2)
            return null;
        bool isPacked = data[0] != 0;
        data = data[2..];
        for (int i = 0; i < 2; i++)
        {
            int stop = data.IndexOf((byte)0);
            if (stop < 0)
                return null;
            data = data[(stop + 1)..];
        }
        byte[]? bytes = isPacked ? Unpacked(data, ref unpacked) : data.ToArray();
        return bytes is null ? null : (key, Encoding.UTF8.GetString(bytes));
    }

    private static byte[]? Unpacked(ReadOnlySpan<byte> zlib, ref int unpacked)
    {
        try
        {
            using ZLibStream stream = new(new MemoryStream(zlib.ToArray()), CompressionMode.Decompress);
            byte[] text = new byte[LongestText + 1];
            int length = stream.ReadAtLeast(text, text.Length, throwOnEndOfStream: false);
            unpacked += Math.Max(length, LeastCount);
            return length <= LongestText ? text[..length] : null;
        }
        catch (InvalidDataException)
        {
            unpacked += LongestText; // at most
            return null;
        }
    }

    // An empty line, the name of the profile, its length, then lines of hexadecimal digits.
    private static byte[] FromHex(string profile)
    {
        string[] lines = profile.Split('\n');
        if (lines.Length <= 3)
            return [];
        try
        {
            return Convert.FromHexString(string.Concat(lines[3..].Select(line => line.Trim())));
        }
        catch (FormatException)
        {
            return [];
        }
    }

    // EXIF is a TIFF file; the orientation is in its first directory.
    private static int? InTiff(ReadOnlySpan<byte> exif)
    {
        const int EntryBytes = 12;
        if (exif.StartsWith("Exif\0\0"u8))
            exif = exif[6..];
        bool big = exif.StartsWith("MM\0*"u8);
        if (exif.Length < 8 || !(big || exif.StartsWith("II*\0"u8)))
            return null;
        long at = U32(exif[4..]);
        if (at > exif.Length - 2)
            return null;
        int entries = U16(exif[(int)at..]);
        exif = exif[((int)at + 2)..];
        int? found = null;
        for (int i = 0; i < entries && exif.Length >= EntryBytes; i++, exif = exif[EntryBytes..])
            if (U16(exif) == OrientationTag && U32(exif[4..]) == 1)
                found = U16(exif[2..]) switch
                {
                    ShortType => U16(exif[8..]),
                    LongType => U32(exif[8..]) is <= ushort.MaxValue and uint value ? (int)value : null,
                    _ => null,
                };
        return found;

        ushort U16(ReadOnlySpan<byte> from) =>
            big ? BinaryPrimitives.ReadUInt16BigEndian(from) : BinaryPrimitives.ReadUInt16LittleEndian(from);

        uint U32(ReadOnlySpan<byte> from) =>
            big ? BinaryPrimitives.ReadUInt32BigEndian(from) : BinaryPrimitives.ReadUInt32LittleEndian(from);
    }

    // <tiff:Orientation>6</tiff:Orientation>, or the attribute tiff:Orientation="6".
    private static int? InXmp(string? xmp)
    {
        for (int at = 0; xmp is not null && (at = xmp.IndexOf(XmpOrientation, at, StringComparison.Ordinal)) >= 0; )
        {
            at += XmpOrientation.Length;
            ReadOnlySpan<char> value =
                xmp.AsSpan(at) is ['>', .. var element] ? element
                : xmp.AsSpan(at) is ['=', '"', .. var attribute] ? attribute
                : "";
            if (value is [>= '0' and <= '9', ..])
                return int.Parse(value[..1], CultureInfo.InvariantCulture);
        }
        return null;
    }
}
