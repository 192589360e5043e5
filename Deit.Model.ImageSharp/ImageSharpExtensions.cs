using System.Runtime.InteropServices;
using Deit.Model.Images;
using SixLabors.ImageSharp;
using SixLabors.ImageSharp.Advanced;
using SixLabors.ImageSharp.Metadata.Profiles.Exif;
using SixLabors.ImageSharp.PixelFormats;
using SixLabors.ImageSharp.Processing;

namespace Deit.Model;

/// <summary>Pictures of SixLabors.ImageSharp.</summary>
public static class ImageSharpExtensions
{
    /// <summary>
    /// Copies a picture of any pixel type: <c>model.Classify(image.ToRgbImage())</c>. The result is the picture that a viewer shows of a
    /// file saved from the image, without its alpha.
    /// </summary>
    /// <param name="image">The picture, which stays as it is; of several frames the first counts.</param>
    /// <returns>[Height, Width, 3] bytes, sRGB.</returns>
    /// <remarks>
    /// <para>Alpha is left out, not blended, as of decoded files and of <see cref="PixelFormat"/>: colours are taken as they stand.</para>
    /// <para>
    /// The orientation in the image's EXIF profile is applied, as of decoded files; sides are then those of the upright picture.
    /// ImageSharp's own <c>AutoOrient()</c> and rotations take the orientation out of the profile, so that nothing is turned twice.
    /// </para>
    /// <para>
    /// ImageSharp converts the pixels. Channels of more than 8 bits are rounded; <see cref="RgbImage.Decode(string)"/> takes the upper 8
    /// bits of a file's 16, which is up to one level less. Colour profiles are ignored. Pixels of the type <c>A8</c> have no colour
    /// and become black.
    /// </para>
    /// </remarks>
    /// <exception cref="ArgumentNullException">There is no image.</exception>
    /// <exception cref="ArgumentException">The image has more than 715 million pixels.</exception>
    /// <exception cref="ObjectDisposedException">The image was disposed.</exception>
    public static RgbImage ToRgbImage(this Image image)
    {
        ArgumentNullException.ThrowIfNull(image);
        if ((long)image.Width * image.Height > Array.MaxLength / 3)
            throw new ArgumentException(
                $"Copying a picture of ImageSharp was refused: it has {image.Width} x {image.Height} pixels, expected "
                    + $"at most {Array.MaxLength / 3} in all; resize it first.",
                nameof(image)
            );
        Copy copy = new();
        image.AcceptVisitor(copy);
        return copy.Result!;
    }

    // The way from Image to Image<TPixel> without a copy: the image calls back with its pixel type.
    private sealed class Copy : IImageVisitor
    {
        public RgbImage? Result { get; private set; }

        public void Visit<TPixel>(Image<TPixel> image)
            where TPixel : unmanaged, IPixel<TPixel>
        {
            // ImageSharp lists the values of this enum while it reads a profile. Compiled ahead of time it can do so only where an
            // array of them is in the program.
            GC.KeepAlive(Array.Empty<ExifDataType>());
            if (image.Metadata.ExifProfile?.GetValue(ExifTag.Orientation)?.Value is >= 2 and <= 8)
            {
                using Image<TPixel> first = image.Frames.CloneFrame(0);
                first.Mutate(context => context.AutoOrient());
                Result = Packed(first);
            }
            else
                Result = Packed(image);
        }

        private static RgbImage Packed<TPixel>(Image<TPixel> image)
            where TPixel : unmanaged, IPixel<TPixel>
        {
            byte[] pixels = GC.AllocateUninitializedArray<byte>(image.Width * image.Height * 3);
            Configuration configuration = image.GetConfiguration();
            image.ProcessPixelRows(rows =>
            {
                for (int y = 0; y < rows.Height; y++)
                    PixelOperations<TPixel>.Instance.ToRgb24(
                        configuration,
                        rows.GetRowSpan(y),
                        MemoryMarshal.Cast<byte, Rgb24>(pixels.AsSpan(y * rows.Width * 3, rows.Width * 3))
                    );
            });
            return new RgbImage(image.Width, image.Height, pixels);
        }
    }
}
