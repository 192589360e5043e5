using System.Diagnostics;
using System.IO.Compression;
using System.Text;
using Deit.Model.Images;

namespace Deit.Tests.Model.Images;

/// <summary>How much of a hostile picture is looked at.</summary>
public sealed class EncodedFactsTests
{
    // Skia finds for each such frame the one that it is drawn over: the time grows by the square of their number.
    [Fact]
    public void Neither_the_head_nor_the_first_frame_of_a_GIF_waits_for_its_other_frames()
    {
        const int ScreenAt = 6;
        byte[] gif = EncodedImages.Gif(
            2,
            2,
            new byte[3 * 128],
            restores: true,
            [.. Enumerable.Repeat<byte[]>([1, 2, 3, 4], 10_000)]
        );
        (gif[ScreenAt], gif[ScreenAt + 2]) = (64, 64); // each frame changes a part
        long start = Stopwatch.GetTimestamp();
        Assert.Equal(10_000, EncodedFacts.Of(gif).Frames);
        TimeSpan all = Stopwatch.GetElapsedTime(start);
        start = Stopwatch.GetTimestamp();
        Assert.Equal(("GIF", 64, 64), EncodedFacts.Head(gif));
        Assert.Equal(64, ImageDecoder.Decode(gif, "animation").Width);
        Assert.InRange(Stopwatch.GetElapsedTime(start), TimeSpan.Zero, all / 4);
    }

    // A text of a kilobyte unpacks to a megabyte, and takes several more on its way.
    [Fact]
    public void Texts_of_a_PNG_unpack_to_64_MiB_together()
    {
        using MemoryStream packed = new();
        using (ZLibStream zlib = new(packed, CompressionLevel.Optimal, leaveOpen: true))
            zlib.Write(new byte[1 << 20]);
        byte[] text = [.. Encoding.Latin1.GetBytes("Raw profile type exif\0\0"), .. packed.ToArray()];
        byte[] png = EncodedImages.Png(3, 2, 8, 2, TestImages.Noise(3, 2, seed: 1).Pixels);
        for (int i = 0; i < 300; i++)
            png = EncodedImages.PngWithChunk(png, "zTXt", text);
        long before = GC.GetAllocatedBytesForCurrentThread();
        Assert.Equal(1, PngOrientation.Of(png));
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 64L << 20, 6 * (64L << 20));
    }
}
