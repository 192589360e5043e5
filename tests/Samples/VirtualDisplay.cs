using System.Buffers.Binary;
using System.Runtime.InteropServices;
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

    /// <summary>Clicks in the middle of the pixels of a colour.</summary>
    /// <returns>False where there is no such pixel yet.</returns>
    public bool Click((byte, byte, byte) color)
    {
        RgbImage image = Screenshot();
        int[] found =
        [
            .. Enumerable
                .Range(0, image.Width * image.Height)
                .Where(i => (image.Pixels[3 * i], image.Pixels[(3 * i) + 1], image.Pixels[(3 * i) + 2]) == color),
        ];
        if (found.Length == 0)
            return false;
        nint display = XOpenDisplay(Name);
        Assert.NotEqual(0, display);
        _ = XTestFakeMotionEvent(
            display,
            -1,
            (int)found.Average(i => i % image.Width),
            (int)found.Average(i => i / image.Width),
            0
        );
        _ = XTestFakeButtonEvent(display, 1, 1, 50);
        _ = XTestFakeButtonEvent(display, 1, 0, 50);
        _ = XCloseDisplay(display);
        return true;
    }

    public void Dispose()
    {
        _server.Dispose();
        _folder.Dispose();
    }

    [LibraryImport("libX11.so.6", StringMarshalling = StringMarshalling.Utf8)]
    private static partial nint XOpenDisplay(string name);

    [LibraryImport("libX11.so.6")]
    private static partial int XCloseDisplay(nint display);

    [LibraryImport("libXtst.so.6")]
    private static partial int XTestFakeMotionEvent(nint display, int screen, int x, int y, nuint delay);

    [LibraryImport("libXtst.so.6")]
    private static partial int XTestFakeButtonEvent(nint display, uint button, int press, nuint delay);

    [GeneratedRegex("^(\\d+)\\n")]
    private static partial Regex Number();
}
