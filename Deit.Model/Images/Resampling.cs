namespace Deit.Model.Images;

/// <summary>The part of a picture to be resized, in fractional pixels; the kernel still sees the pixels round it.</summary>
/// <param name="Left">Left edge, at least 0.</param>
/// <param name="Top">Top edge, at least 0.</param>
/// <param name="Right">Right edge, at most the width.</param>
/// <param name="Bottom">Bottom edge, at most the height.</param>
internal readonly record struct ResampleBox(float Left, float Top, float Right, float Bottom);

/// <summary>The task of a <see cref="Resampler"/>: crop, resize, and keep a window of the result.</summary>
/// <param name="Width">Columns of the whole result.</param>
/// <param name="Height">Rows of the whole result.</param>
/// <param name="Filter">The kernel.</param>
internal readonly record struct Resampling(int Width, int Height, ResampleFilter Filter)
{
    /// <summary>
    /// The part of the source that exists, as if it had been cut out before. Pixels outside have no influence, unlike
    /// with <see cref="Box"/>. This is torchvision's <c>resized_crop</c>. Null is the whole source.
    /// </summary>
    public PixelRectangle? Crop { get; init; }

    /// <summary>The part of the crop that becomes the result: Pillow's <c>resize(box=)</c>. Null is the whole crop.</summary>
    public ResampleBox? Box { get; init; }

    /// <summary>
    /// The part of the result that is computed. Its pixels are the same as those of a crop of the whole result. Null is
    /// the whole result.
    /// </summary>
    public PixelRectangle? Window { get; init; }
}
