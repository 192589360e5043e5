using Deit.Model.Images;

namespace Deit.Train.Pages;

/// <summary>Small pictures inside of a page.</summary>
internal static class Thumbnail
{
    /// <summary>Pixels of the longer side where nothing else is said: sharp at the size of a gallery on usual screens.</summary>
    public const int LongerSide = 160;

    // Artefacts do not show at this size, and a picture takes about six kilobytes.
    private const int Quality = 80;

    /// <summary>The picture as the value of <c>src</c>: JPEG, not larger than it was.</summary>
    /// <param name="image">The picture.</param>
    /// <param name="longerSide">The most pixels of its longer side.</param>
    public static string DataUri(RgbImage image, int longerSide = LongerSide)
    {
        double factor = Math.Min(1, (double)longerSide / Math.Max(image.Width, image.Height));
        RgbImage small =
            factor == 1
                ? image
                : Resampler.Resize(image, Side(image.Width), Side(image.Height), ResampleFilter.Bicubic);
        return "data:image/jpeg;base64," + Convert.ToBase64String(ImageEncoder.Jpeg(small, Quality));

        int Side(int pixels) => Math.Max(1, (int)Math.Round(pixels * factor));
    }

    /// <summary>The picture as an element.</summary>
    /// <param name="image">The picture.</param>
    /// <param name="description">What it shows, for those who cannot see it; plain text.</param>
    /// <param name="longerSide">The most pixels of its longer side.</param>
    public static Markup Image(RgbImage image, string description, int longerSide = LongerSide) =>
        Markup.Of($"<img src=\"{DataUri(image, longerSide)}\" alt=\"{description}\" />");
}
