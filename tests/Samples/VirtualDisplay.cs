using System.Buffers.Binary;
using System.Text.RegularExpressions;
using Deit.Model;
using Deit.Model.Images;

namespace Deit.Tests.Samples;

/// <summary>A display that is a file: Xvfb keeps its pixels where a test can read them.</summary>
internal sealed partial class VirtualDisplay : IDisposable
{
    private readonly TemporaryFolder _folder;
    private readonly Command _server;

    private VirtualDisplay(TemporaryFolder folder, Command server, string name) =>
        (_folder, _server, Name) = (folder, server, name);

    /// <summary>The value for DISPLAY.</summary>
    public string Name { get; }

    /// <summary>Starts one of 980 x 620 pixels, the size of the sample's window. Without a window manager nothing else is on it.</summary>
    public static async Task<VirtualDisplay> Start()
    {
        TemporaryFolder folder = new();
        Command server = Command.Start(
            "Xvfb",
            ["-displayfd", "1", "-fbdir", folder.Path, "-screen", "0", "980x620x24", "-nolisten", "tcp"]
        );
        return new VirtualDisplay(folder, server, $":{await server.Says(Number())}");
    }

    /// <summary>The pixels that it shows now.</summary>
    /// <remarks>The file is an X window dump: XWDFile.h of the X protocol's headers; all its numbers are big-endian.</remarks>
    public RgbImage Screenshot()
    {
        using FileStream file = new(_folder["Xvfb_screen0"], FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        byte[] bytes = new byte[file.Length];
        file.ReadExactly(bytes);
        int Field(int index) => BinaryPrimitives.ReadInt32BigEndian(bytes.AsSpan(index * 4));
        int headerBytes = Field(0),
            width = Field(4),
            height = Field(5),
            bitsPerPixel = Field(11),
            stride = Field(12),
            colors = Field(19);
        Assert.Equal(32, bitsPerPixel);
        return RgbImage.FromPixels(
            bytes.AsSpan(headerBytes + (colors * 12), height * stride),
            width,
            height,
            stride,
            PixelFormat.Bgra32
        );
    }

    public void Dispose()
    {
        _server.Dispose();
        _folder.Dispose();
    }

    [GeneratedRegex("^(\\d+)\\n")]
    private static partial Regex Number();
}
