using Deit.Model.Images;
using Deit.Train.Analysis;
using SkiaSharp;

namespace Deit.Cli.Analysis;

/// <summary>Pictures of one size with captions, in titled rows.</summary>
internal static class ContactSheet
{
    private const float Size = 12;
    private const int Gap = 6,
        Caption = 20,
        Border = 12;
    private static readonly Rgb Ink = new(40, 40, 40);

    /// <summary>Draws a sheet.</summary>
    /// <param name="rows">Rows of pictures, all of one size.</param>
    /// <param name="longerSide">Pixels that the longer side of a picture gets.</param>
    public static Drawing Draw(
        IReadOnlyList<(string Title, IReadOnlyList<(string Caption, RgbImage Image)> Cells)> rows,
        int longerSide
    )
    {
        RgbImage first = rows[0].Cells[0].Image;
        double factor = (double)longerSide / Math.Max(first.Width, first.Height);
        int width = Math.Max(1, (int)Math.Round(first.Width * factor)),
            height = Math.Max(1, (int)Math.Round(first.Height * factor));
        float titles = rows.Max(row => Drawing.TextWidth(row.Title, Size));
        int left = Border + (titles > 0 ? (int)titles + 12 : 0),
            columns = rows.Max(row => row.Cells.Count);
        // A caption may be wider than its picture.
        int pitch =
            Math.Max(width, (int)rows.Max(row => row.Cells.Max(cell => Drawing.TextWidth(cell.Caption, Size)))) + Gap;
        Drawing drawing = new(
            left + (columns * pitch) - Gap + Border,
            Border + (rows.Count * (Caption + height + Gap))
        );
        for (int r = 0; r < rows.Count; r++)
        {
            int top = (Border / 2) + (r * (Caption + height + Gap));
            drawing.Text(rows[r].Title, Border, top + Caption + (height / 2f), Size, Rgb.Black);
            for (int c = 0; c < rows[r].Cells.Count; c++)
            {
                (string caption, RgbImage image) = rows[r].Cells[c];
                int x = left + (c * pitch);
                drawing.Text(caption, x + (width / 2f), top + (Caption / 2f), Size, Ink, SKTextAlign.Center);
                drawing.Image(Resampler.Resize(image, width, height, ResampleFilter.Bicubic), x, top + Caption);
            }
        }
        return drawing;
    }
}
