using Deit.Model.Images;

namespace Deit.Tests.Model.Images;

/// <summary>
/// Takes a picture whose colours (Cb and Cr of JFIF) are the same in every pair of columns, or square of four pixels, and lets them run
/// from one to the next as libjpeg does: 3/4 of the nearest and 1/4 of the next along each axis.
/// </summary>
internal sealed class HalvedColours
{
    /// <summary>
    /// That of JPEG, 2, and one more: the colours are taken from values that were rounded to levels, and libjpeg rounds once more
    /// behind its filter.
    /// </summary>
    public const int Tolerance = JpegOracleTests.Tolerance + 1;

    private readonly RgbImage _picture;
    private readonly int _rows,
        _width,
        _height;
    private readonly (double Blue, double Red)?[] _colours; // null where a channel is clipped, which hides the colour

    /// <summary>Finds the colours.</summary>
    /// <param name="picture">The picture with repeated colours.</param>
    /// <param name="halfRows">Whether a colour is repeated in two rows too.</param>
    public HalvedColours(RgbImage picture, bool halfRows)
    {
        _picture = picture;
        _rows = halfRows ? 2 : 1;
        _width = (picture.Width + 1) / 2;
        _height = (picture.Height + _rows - 1) / _rows;
        _colours = new (double, double)?[_width * _height];
        for (int y = 0; y < _height; y++)
        for (int x = 0; x < _width; x++)
            _colours[(y * _width) + x] = MeanOf(x, y);
    }

    /// <summary>The pixel with colours that run; null where the colours round it are not known.</summary>
    public (double R, double G, double B)? At(int x, int y)
    {
        double blue = 0,
            red = 0;
        foreach ((int column, double share) in Shares(x, _width, halved: true))
        foreach ((int row, double rowShare) in Shares(y, _height, _rows == 2))
        {
            if (_colours[(row * _width) + column] is not { } colour)
                return null;
            blue += share * rowShare * colour.Blue;
            red += share * rowShare * colour.Red;
        }
        double luma = Luma(_picture.At(x, y));
        (double R, double G, double B) pixel = (
            luma + (1.402 * red),
            luma - (0.344136 * blue) - (0.714136 * red),
            luma + (1.772 * blue)
        );
        return (Math.Clamp(pixel.R, 0, 255), Math.Clamp(pixel.G, 0, 255), Math.Clamp(pixel.B, 0, 255));
    }

    private static (int At, double Share)[] Shares(int at, int count, bool halved)
    {
        if (!halved)
            return [(at, 1)];
        int nearest = at / 2,
            next = Math.Clamp(at % 2 == 0 ? nearest - 1 : nearest + 1, 0, count - 1);
        return [(nearest, 0.75), (next, 0.25)];
    }

    private (double, double)? MeanOf(int column, int row)
    {
        double blue = 0,
            red = 0;
        int count = 0;
        for (int y = row * _rows; y < Math.Min((row + 1) * _rows, _picture.Height); y++)
        for (int x = column * 2; x < Math.Min((column + 1) * 2, _picture.Width); x++, count++)
        {
            (int r, int g, int b) pixel = _picture.At(x, y);
            if (pixel.r is 0 or 255 || pixel.g is 0 or 255 || pixel.b is 0 or 255)
                return null;
            double luma = Luma(pixel);
            blue += (pixel.b - luma) / 1.772;
            red += (pixel.r - luma) / 1.402;
        }
        return (blue / count, red / count);
    }

    private static double Luma((int R, int G, int B) pixel) =>
        (0.299 * pixel.R) + (0.587 * pixel.G) + (0.114 * pixel.B);
}
