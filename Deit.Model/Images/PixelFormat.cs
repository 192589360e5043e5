namespace Deit.Model;

/// <summary>How a picture in memory is laid out: 8 bits a channel in this order, sRGB, rows top to bottom.</summary>
/// <remarks>
/// Alpha is left out, not blended, as of decoded files: colours are taken as they stand, so they must not be
/// premultiplied.
/// </remarks>
public enum PixelFormat
{
    /// <summary>Red, green, blue.</summary>
    Rgb24,

    /// <summary>Blue, green, red.</summary>
    Bgr24,

    /// <summary>Red, green, blue, alpha.</summary>
    Rgba32,

    /// <summary>Blue, green, red, alpha.</summary>
    Bgra32,

    /// <summary>One value for all three.</summary>
    Gray8,
}
