using Deit.Model.Images;
using SixLabors.ImageSharp;
using SixLabors.ImageSharp.Formats;
using SixLabors.ImageSharp.Formats.Jpeg;
using SixLabors.ImageSharp.Formats.Png;
using SixLabors.ImageSharp.Formats.Webp;
using SixLabors.ImageSharp.Metadata.Profiles.Exif;
using SixLabors.ImageSharp.PixelFormats;

namespace Deit.Tests.Model.Images;

/// <summary>Files that ImageSharp wrote with an orientation, turned upright by its <c>AutoOrient</c> and by our decoder.</summary>
public sealed class OrientationOracleTests
{
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
    public void A_file_is_turned_as_ImageSharp_turns_it(ushort orientation)
    {
        AssertTurned(new PngEncoder(), orientation, tolerance: 0);
        AssertTurned(new WebpEncoder { FileFormat = WebpFileFormatType.Lossless }, orientation, tolerance: 0);
        AssertTurned(new JpegEncoder { Quality = 95 }, orientation, JpegOracleTests.Tolerance);
    }

    // The sides differ, so that a picture that is not turned differs already in its size; smooth colours leave JPEG its tolerance, and each
    // channel falls or rises along one axis, so that no two orientations are alike.
    private static void AssertTurned(IImageEncoder encoder, ushort orientation, int tolerance)
    {
        RgbImage smooth = TestImages.Smooth(37, 23);
        using Image<Rgb24> image = Image.LoadPixelData<Rgb24>(smooth.Pixels, 37, 23);
        image.Metadata.ExifProfile = new ExifProfile();
        image.Metadata.ExifProfile.SetValue(ExifTag.Orientation, orientation);
        using MemoryStream encoded = new();
        image.Save(encoded, encoder);
        RgbImage upright = RgbImage.Decode(encoded.ToArray());
        Assert.Equal(orientation >= 5 ? (23, 37) : (37, 23), (upright.Width, upright.Height));
        ImageSharpOracle.AssertAgrees(encoded.ToArray(), tolerance);
    }
}
