using System.IO.Compression;
using System.Text;
using Deit.Model.Images;

namespace Deit.Tests.Model.Images;

/// <summary>The places in a PNG where an orientation may stand. Each was compared with Pillow 9.4's <c>exif_transpose</c>.</summary>
public sealed class PngOrientationTests
{
    private static readonly byte[] Plain = EncodedImages.Png(3, 2, 8, 2, TestImages.Noise(3, 2, seed: 1).Pixels);

    private static byte[] Little =>
        [
            .. "II*\0"u8,
            .. (byte[])[8, 0, 0, 0, 2, 0],
            .. (byte[])[0x0F, 0x01, 2, 0, 2, 0, 0, 0, (byte)'a', 0, 0, 0], // the maker's name
            .. (byte[])[0x12, 0x01, 3, 0, 1, 0, 0, 0, 6, 0, 0, 0],
            .. (byte[])[0, 0, 0, 0],
        ];

    private static byte[] Latin(string text) => Encoding.Latin1.GetBytes(text);

    private static byte[] Packed(string text)
    {
        using MemoryStream bytes = new();
        using (ZLibStream stream = new(bytes, CompressionLevel.Optimal))
            stream.Write(Latin(text));
        return bytes.ToArray();
    }

    private static string Profile(byte[] exif) =>
        $"\nexif\n{exif.Length, 8}\n{Convert.ToHexString(exif).ToLowerInvariant().Insert(20, "\n")}\n";

    private static string Xmp(string orientation) => $"<x:xmpmeta><rdf:Description {orientation}/></x:xmpmeta>";

    public static TheoryData<string> Places =>
        [
            "eXIf",
            "eXIf behind the picture",
            "eXIf with the marker of JPEG",
            "eXIf little-endian with another tag",
            "profile as text",
            "profile packed",
            "XMP element",
            "XMP attribute",
            "XMP packed",
            "XMP where the EXIF has no orientation",
            "eXIf before XMP",
            "eXIf before a profile",
        ];

    private static byte[] At(string place) =>
        place switch
        {
            "eXIf" => Chunk(Plain, "eXIf", EncodedImages.Tiff(6)),
            "eXIf behind the picture" => EncodedImages.PngWithChunk(Plain, "eXIf", EncodedImages.Tiff(6), behind: true),
            "eXIf with the marker of JPEG" => Chunk(Plain, "eXIf", [.. "Exif\0\0"u8, .. EncodedImages.Tiff(6)]),
            "eXIf little-endian with another tag" => Chunk(Plain, "eXIf", Little),
            "profile as text" => Chunk(Plain, "tEXt", Latin($"Raw profile type exif\0{Profile(Little)}")),
            "profile packed" => Chunk(
                Plain,
                "zTXt",
                [.. Latin("Raw profile type exif\0\0"), .. Packed(Profile([.. "Exif\0\0"u8, .. Little]))]
            ),
            "XMP element" => Chunk(Plain, "iTXt", International(Xmp("><tiff:Orientation>6</tiff:Orientation"))),
            "XMP attribute" => Chunk(Plain, "iTXt", International(Xmp("tiff:Orientation=\"6\""))),
            "XMP packed" => Chunk(
                Plain,
                "iTXt",
                [.. Latin("XML:com.adobe.xmp\0\u0001\0\0\0"), .. Packed(Xmp("tiff:Orientation=\"6\""))]
            ),
            "XMP where the EXIF has no orientation" => Chunk(
                Chunk(Plain, "eXIf", [.. "MM\0*"u8, .. (byte[])[0, 0, 0, 8, 0, 0]]),
                "iTXt",
                International(Xmp("tiff:Orientation=\"6\""))
            ),
            "eXIf before XMP" => Chunk(
                Chunk(Plain, "eXIf", EncodedImages.Tiff(6)),
                "iTXt",
                International(Xmp("tiff:Orientation=\"3\""))
            ),
            _ => Chunk(
                Chunk(Plain, "eXIf", EncodedImages.Tiff(6)),
                "tEXt",
                Latin($"Raw profile type exif\0{Profile(EncodedImages.Tiff(3))}")
            ),
        };

    private static byte[] Chunk(byte[] png, string type, byte[] data) => EncodedImages.PngWithChunk(png, type, data);

    private static byte[] International(string text) => Latin($"XML:com.adobe.xmp\0\0\0\0\0{text}");

    [Theory, MemberData(nameof(Places))]
    public void An_orientation_is_found_where_Pillow_finds_it(string place)
    {
        byte[] png = At(place);
        Assert.Equal(6, PngOrientation.Of(png));
        RgbImage turned = ImageDecoder.Decode(png, place);
        Assert.Equal((2, 3), (turned.Width, turned.Height));
    }

    public static TheoryData<string, string> Nothing =>
        new()
        {
            { "eXIf", "" },
            { "eXIf", "MM\0*" },
            { "eXIf", "MM\0*\u00ff\u00ff\u00ff\u00ff" },
            { "eXIf", "MM\0*\0\0\0\u0008\u00ff\u00ff\u0001\u0012" }, // more entries than bytes
            { "eXIf", "no EXIF at all" },
            { "tEXt", "Raw profile type exif" },
            { "tEXt", "Raw profile type exif\0\nexif\n  4\nxyz\n" },
            { "zTXt", "Raw profile type exif\0\0no zlib" },
            { "zTXt", "Raw profile type exif\0" },
            { "iTXt", "XML:com.adobe.xmp" },
            { "iTXt", "XML:com.adobe.xmp\0\0" },
            { "iTXt", "XML:com.adobe.xmp\0\u0001\0\0\0no zlib" },
            { "iTXt", "XML:com.adobe.xmp\0\0\0\0\0tiff:Orientation=\"none\"" },
            { "tEXt", "Comment\0tiff:Orientation=\"6\"" },
        };

    [Theory, MemberData(nameof(Nothing))]
    public void What_cannot_be_read_leaves_the_picture_as_it_is(string type, string data)
    {
        byte[] png = Chunk(Plain, type, Latin(data));
        Assert.Equal(1, PngOrientation.Of(png));
        Assert.Equal((3, 2), (ImageDecoder.Decode(png, type).Width, ImageDecoder.Decode(png, type).Height));
    }

    // Every length at which the file may be cut, and orientations that are none.
    [Fact]
    public void A_damaged_file_is_never_an_error()
    {
        foreach (string place in Places)
        {
            byte[] png = At(place);
            for (int length = 0; length < png.Length; length++)
                Assert.InRange(PngOrientation.Of(png.AsSpan(0, length)), 1, 8);
        }
        foreach (ushort none in (ushort[])[0, 9, 255, 0x0600, 65535])
            Assert.Equal(1, PngOrientation.Of(Chunk(Plain, "eXIf", EncodedImages.Tiff(none))));
    }
}
