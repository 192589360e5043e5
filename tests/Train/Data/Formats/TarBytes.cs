using System.Globalization;
using System.Text;

namespace Deit.Tests.Train.Data.Formats;

/// <summary>A tar file made byte by byte, so that it can be wrong in every way.</summary>
internal sealed class TarBytes
{
    public const int Block = 512;

    private readonly List<byte> _bytes = [];

    /// <summary>How many bytes there are so far.</summary>
    public int Length => _bytes.Count;

    public static byte[] Text(string text) => Encoding.UTF8.GetBytes(text);

    /// <summary>A record of a pax header, whose length counts its own digits.</summary>
    public static string Pax(string key, string value)
    {
        int rest = Text($" {key}={value}\n").Length,
            length = rest + 1;
        while (length != rest + length.ToString(CultureInfo.InvariantCulture).Length)
            length = rest + length.ToString(CultureInfo.InvariantCulture).Length;
        return $"{length} {key}={value}\n";
    }

    public TarBytes Add(string name, string body) => Add(name, Text(body));

    /// <summary>Adds an entry.</summary>
    /// <param name="name">Its path, at most 100 bytes.</param>
    /// <param name="body">Its body.</param>
    /// <param name="type">Its type.</param>
    /// <param name="prefix">The part of the path before the name and a slash.</param>
    /// <param name="size">The size that the header says; the body's without it.</param>
    /// <param name="magic">"ustar\0" and a version, or GNU's.</param>
    public TarBytes Add(
        string name,
        byte[] body,
        char type = '0',
        string prefix = "",
        string? size = null,
        string magic = "ustar\000"
    )
    {
        byte[] header = new byte[Block];
        Text(name).CopyTo(header, 0);
        Text("0000644\0").CopyTo(header, 100);
        Text((size ?? Convert.ToString(body.Length, 8).PadLeft(11, '0')) + "\0").CopyTo(header, 124);
        Text("00000000000\0").CopyTo(header, 136);
        header[156] = (byte)type;
        Text(magic).CopyTo(header, 257);
        Text(prefix).CopyTo(header, 345);
        return Header(header).Body(body);
    }

    /// <summary>Adds a header and sets its checksum.</summary>
    public TarBytes Header(byte[] header)
    {
        header.AsSpan(148, 8).Fill((byte)' ');
        Text(Convert.ToString(header.Sum(value => value), 8).PadLeft(6, '0') + "\0 ").CopyTo(header, 148);
        _bytes.AddRange(header);
        return this;
    }

    /// <summary>Adds a body, filled up to a whole block.</summary>
    public TarBytes Body(byte[] body)
    {
        _bytes.AddRange(body);
        _bytes.AddRange(new byte[(Block - (body.Length % Block)) % Block]);
        return this;
    }

    /// <summary>Adds a picture of a number, and its label as text.</summary>
    public TarBytes Sample(string key, int picture, string label, string extension = "cls") =>
        Add($"{key}.png", DatasetAssert.Png(picture)).Add($"{key}.{extension}", label);

    /// <summary>All of it, with the empty blocks that end a tar file.</summary>
    public byte[] End(int blocks = 2) => [.. _bytes, .. new byte[blocks * Block]];
}
