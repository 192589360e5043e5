using System.Text;
using Deit.Model.Images;

namespace Deit.Tests.Model.Images;

public static class FormatsNotReadTests
{
    [Theory]
    [InlineData("heic", "HEIC")]
    [InlineData("heix", "HEIC")]
    [InlineData("mif1", "HEIF")]
    [InlineData("avif", "AVIF")]
    public static void A_picture_of_a_format_that_is_not_read_is_named_under_any_name(string brand, string format)
    {
        byte[] start = [0, 0, 0, 24, .. "ftyp"u8, .. Encoding.ASCII.GetBytes(brand), 0, 0, 0, 0, .. new byte[64]];
        Assert.Equal(
            $"Decoding the image 'a.jpg' failed: it is a picture of {format}, which is not read; convert it to JPEG.",
            Assert.Throws<ImageException>(() => ImageDecoder.Decode(start, "a.jpg")).Message
        );
    }
}
