namespace Deit.Model.Images;

/// <summary>A rectangle of whole pixels.</summary>
/// <param name="X">Left column.</param>
/// <param name="Y">Top row.</param>
/// <param name="Width">Columns.</param>
/// <param name="Height">Rows.</param>
internal readonly record struct PixelRectangle(int X, int Y, int Width, int Height)
{
    /// <summary>Whether the rectangle holds at least one pixel and lies inside a picture of this size.</summary>
    /// <param name="width">Columns of the picture.</param>
    /// <param name="height">Rows of the picture.</param>
    public bool IsInside(int width, int height) =>
        X >= 0 && Y >= 0 && Width > 0 && Height > 0 && Width <= width - X && Height <= height - Y;
}
