using Deit.Model.Images;

namespace Deit.Tests.Model.Images;

/// <summary>Transparent pixels of GIFs, compared with Pillow 9.4's <c>convert("RGB")</c>.</summary>
public sealed class GifBackgroundTests
{
    // Pillow keeps the colours under alpha in a GIF, too: those of the transparent index, and of pixels that the frame leaves out.
    [Theory, InlineData(true), InlineData(false)]
    public void Transparent_pixels_of_a_gif_have_their_colour_in_the_palette(bool transparent)
    {
        byte[] palette =
        [
            .. Enumerable.Range(0, 128).SelectMany(i => (byte[])[(byte)i, (byte)(2 * i), (byte)(255 - i)]),
        ];
        byte[] gif = EncodedImages.Gif(3, 2, palette, [5, 6, 7, 7, 6, 5]);
        int control = 13 + palette.Length;
        (gif[control + 3], gif[control + 6]) = ((byte)(transparent ? 1 : 0), 6);
        (gif[6], gif[8]) = (4, 3); // a canvas one pixel wider and higher than the frame
        int[] expected = transparent ? [5, 6, 7, 6, 7, 6, 5, 6, 6, 6, 6, 6] : [5, 6, 7, 0, 7, 6, 5, 0, 0, 0, 0, 0];
        RgbImage decoded = ImageDecoder.Decode(gif, "gif");
        Assert.Equal((4, 3), (decoded.Width, decoded.Height));
        Assert.Equal(expected.SelectMany(i => (byte[])[(byte)i, (byte)(2 * i), (byte)(255 - i)]), decoded.Pixels);
        for (int length = 0; length < gif.Length; length++)
            GifBackground.Of(gif.AsSpan(0, length)); // never an error
    }
}
