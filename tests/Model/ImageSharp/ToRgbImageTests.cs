using System.Buffers;
using Deit.Model;
using Deit.Model.Images;
using SixLabors.ImageSharp;
using SixLabors.ImageSharp.Metadata.Profiles.Exif;
using SixLabors.ImageSharp.PixelFormats;
using SixLabors.ImageSharp.Processing;

namespace Deit.Tests.Model.ImageSharp;

/// <summary>Pictures of ImageSharp as pictures of Deit.</summary>
public sealed class ToRgbImageTests
{
    private const int Width = 37,
        Height = 23;

    // Colours that are not grey under an alpha that is noise, 0 included.
    private static Image<TPixel> Noise<TPixel>(int width = Width, int height = Height, int seed = 1)
        where TPixel : unmanaged, IPixel<TPixel>
    {
        byte[] rgba = new byte[width * height * 4];
        new Random(seed).NextBytes(rgba);
        rgba[3] = 0;
        using Image<Rgba32> noise = Image.LoadPixelData<Rgba32>(rgba, width, height);
        return noise.CloneAs<TPixel>();
    }

    // Pixel by pixel; what is tested converts rows.
    private static byte[] Expected<TPixel>(Image<TPixel> image)
        where TPixel : unmanaged, IPixel<TPixel>
    {
        byte[] rgb = new byte[image.Width * image.Height * 3];
        for (int y = 0, at = 0; y < image.Height; y++)
        for (int x = 0; x < image.Width; x++, at += 3)
        {
            Rgba32 pixel = default;
            image[x, y].ToRgba32(ref pixel);
            (rgb[at], rgb[at + 1], rgb[at + 2]) = (pixel.R, pixel.G, pixel.B);
        }
        return rgb;
    }

    private static void AssertCopied<TPixel>()
        where TPixel : unmanaged, IPixel<TPixel>
    {
        using Image<TPixel> image = Noise<TPixel>();
        RgbImage copy = ((Image)image).ToRgbImage();
        Assert.Equal((Width, Height), (copy.Width, copy.Height));
        Assert.Equal(Expected(image), copy.Pixels);
    }

    [Fact]
    public void Every_pixel_type_is_taken()
    {
        AssertCopied<A8>();
        AssertCopied<Abgr32>();
        AssertCopied<Argb32>();
        AssertCopied<Bgr24>();
        AssertCopied<Bgr565>();
        AssertCopied<Bgra32>();
        AssertCopied<Bgra4444>();
        AssertCopied<Bgra5551>();
        AssertCopied<Byte4>();
        AssertCopied<HalfSingle>();
        AssertCopied<HalfVector2>();
        AssertCopied<HalfVector4>();
        AssertCopied<L16>();
        AssertCopied<L8>();
        AssertCopied<La16>();
        AssertCopied<La32>();
        AssertCopied<NormalizedByte2>();
        AssertCopied<NormalizedByte4>();
        AssertCopied<NormalizedShort2>();
        AssertCopied<NormalizedShort4>();
        AssertCopied<Rg32>();
        AssertCopied<Rgb24>();
        AssertCopied<Rgb48>();
        AssertCopied<Rgba1010102>();
        AssertCopied<Rgba32>();
        AssertCopied<Rgba64>();
        AssertCopied<RgbaVector>();
        AssertCopied<Short2>();
        AssertCopied<Short4>();
    }

    private static byte[] Copied<TPixel>(params TPixel[] pixels)
        where TPixel : unmanaged, IPixel<TPixel>
    {
        using Image<TPixel> image = Image.LoadPixelData(pixels, pixels.Length, 1);
        return image.ToRgbImage().Pixels;
    }

    [Fact]
    public void Alpha_is_left_out_and_grey_is_repeated()
    {
        byte[] expected = [200, 100, 50, 200, 100, 50, 200, 100, 50];
        Assert.Equal(expected, Copied<Rgba32>(new(200, 100, 50, 255), new(200, 100, 50, 128), new(200, 100, 50, 0)));
        Assert.Equal(expected[..3], Copied(new Bgra32(200, 100, 50, 3)));
        Assert.Equal(expected[..3], Copied(new Argb32(200, 100, 50, 3)));
        Assert.Equal(expected[..3], Copied(new Abgr32(200, 100, 50, 3)));
        Assert.Equal(expected[..3], Copied(new Bgr24(200, 100, 50)));
        Assert.Equal([77, 77, 77, 9, 9, 9], Copied(new L8(77), new L8(9)));
        Assert.Equal([77, 77, 77], Copied(new La16(77, 0)));
        Assert.Equal([0, 0, 0], Copied(new A8(200)));
    }

    // v * 257 is the 8-bit value v; everything between is rounded, where a decoded file keeps the upper byte.
    [Fact]
    public void Channels_of_16_bits_are_rounded()
    {
        Assert.Equal([1, 2, 255], Copied(new Rgb48(257, 514, 65535)));
        Assert.Equal([1, 2, 3], Copied(new Rgba64(0x0100 + 128, 0x0200 - 1, 0x0300 + 127, 0)));
        Assert.Equal([2, 2, 2], Copied(new L16(0x01FF)));
    }

    // ImageSharp keeps a picture of this size in several buffers.
    [Fact]
    public void A_large_picture_is_copied_whole()
    {
        using Image<Rgba64> image = Noise<Rgba64>(1501, 1103);
        Assert.False(image.DangerousTryGetSinglePixelMemory(out _));
        Assert.Equal(Expected(image), image.ToRgbImage().Pixels);
    }

    [Fact]
    public void The_first_frame_counts()
    {
        using Image<Rgb24> image = Noise<Rgb24>(),
            other = Noise<Rgb24>(seed: 2);
        byte[] first = image.ToRgbImage().Pixels;
        image.Frames.AddFrame(other.Frames.RootFrame);
        Assert.Equal(first, image.ToRgbImage().Pixels);
        using Image second = image.Frames.CloneFrame(1);
        Assert.Equal(other.ToRgbImage().Pixels, second.ToRgbImage().Pixels);
    }

    private static Image<Rgb24> Turned(ushort orientation)
    {
        Image<Rgb24> image = Noise<Rgb24>();
        image.Metadata.ExifProfile = new ExifProfile();
        image.Metadata.ExifProfile.SetValue(ExifTag.Orientation, orientation);
        return image;
    }

    private static RgbImage Saved(Image image)
    {
        using MemoryStream encoded = new();
        image.SaveAsPng(encoded);
        return RgbImage.Decode(encoded.ToArray());
    }

    // The rule: as if the image had been saved, and the file decoded. The decoder has its own code for turning.
    [Theory]
    [
        InlineData(1),
        InlineData(2),
        InlineData(3),
        InlineData(4),
        InlineData(5),
        InlineData(6),
        InlineData(7),
        InlineData(8)
    ]
    public void The_orientation_is_applied_as_of_a_file(ushort orientation)
    {
        using Image<Rgb24> image = Turned(orientation);
        byte[] before = Expected(image);
        RgbImage copy = image.ToRgbImage(),
            file = Saved(image);
        Assert.Equal(orientation >= 5 ? (Height, Width) : (Width, Height), (copy.Width, copy.Height));
        Assert.Equal((file.Width, file.Height), (copy.Width, copy.Height));
        Assert.Equal(file.Pixels, copy.Pixels);
        Assert.Equal(orientation == 1, copy.Pixels.AsSpan().SequenceEqual(before));
        // The image is as it was.
        Assert.Equal(before, Expected(image));
        Assert.Equal(orientation, image.Metadata.ExifProfile!.GetValue(ExifTag.Orientation)!.Value);
    }

    [Theory, InlineData(0), InlineData(9), InlineData(65535)]
    public void What_is_no_orientation_turns_nothing(ushort orientation)
    {
        using Image<Rgb24> image = Turned(orientation);
        Assert.Equal(Expected(image), image.ToRgbImage().Pixels);
    }

    [Fact]
    public void The_first_of_several_frames_is_turned_too()
    {
        using Image<Rgb24> image = Turned(6),
            other = Noise<Rgb24>(seed: 2);
        byte[] expected = image.ToRgbImage().Pixels;
        image.Frames.AddFrame(other.Frames.RootFrame);
        Assert.Equal(expected, image.ToRgbImage().Pixels);
    }

    [Fact]
    public void What_ImageSharp_turned_is_not_turned_again()
    {
        using Image<Rgb24> image = Turned(6);
        byte[] expected = image.ToRgbImage().Pixels;
        using Image<Rgb24> oriented = image.Clone(context => context.AutoOrient()),
            rotated = image.Clone(context => context.Rotate(RotateMode.Rotate90)); // what orientation 6 asks for
        Assert.Equal(expected, oriented.ToRgbImage().Pixels);
        Assert.Equal(expected, rotated.ToRgbImage().Pixels);
        image.Metadata.ExifProfile!.RemoveValue(ExifTag.Orientation);
        Assert.Equal(Expected(image), image.ToRgbImage().Pixels);
    }

    [Fact]
    public void What_is_no_image_is_refused()
    {
        Assert.Throws<ArgumentNullException>(() => ((Image)null!).ToRgbImage());
        Image<Rgb24> disposed = Noise<Rgb24>();
        disposed.Dispose();
        Assert.Throws<ObjectDisposedException>(() => disposed.ToRgbImage());
    }

    [Fact]
    public void Too_many_pixels_are_refused_before_memory_is_taken()
    {
        using Unreadable memory = new(26_755 * 26_756);
        using Image<L8> image = Image.WrapMemory<L8>(memory.Memory, 26_755, 26_756);
        long before = GC.GetAllocatedBytesForCurrentThread();
        ArgumentException error = Assert.Throws<ArgumentException>(() => image.ToRgbImage());
        Assert.True(GC.GetAllocatedBytesForCurrentThread() - before < 1 << 20);
        Assert.Contains("26755 x 26756", error.Message);
    }

    /// <summary>Memory of any length that nobody may look at.</summary>
    private sealed class Unreadable(int length) : MemoryManager<L8>
    {
        public override Memory<L8> Memory => CreateMemory(length);

        public override Span<L8> GetSpan() => throw new InvalidOperationException("The pixels were read.");

        public override MemoryHandle Pin(int elementIndex = 0) =>
            throw new InvalidOperationException("The pixels were read.");

        public override void Unpin() { }

        protected override void Dispose(bool disposing) { }
    }
}
