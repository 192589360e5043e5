using System.Text;

namespace Deit.Cli.Watch;

/// <summary>
/// A line of numbers as text: Braille patterns, which have two columns and four rows of dots a letter, or asterisks where
/// the terminal knows ASCII alone.
/// </summary>
internal static class TextChart
{
    // The dots of a pattern by column and row, of Unicode's chart U2800.
    private static readonly int[,] Dots =
    {
        { 0x01, 0x02, 0x04, 0x40 },
        { 0x08, 0x10, 0x20, 0x80 },
    };

    /// <summary>Draws values from left to right. Values that are not finite are gaps.</summary>
    /// <param name="values">The values.</param>
    /// <param name="width">Letters of a line.</param>
    /// <param name="height">Lines.</param>
    /// <param name="unicode">False for ASCII.</param>
    /// <returns>The lines, from above.</returns>
    public static string[] Draw(IReadOnlyList<double> values, int width, int height, bool unicode)
    {
        (int across, int up) = unicode ? (2, 4) : (1, 1);
        int columns = width * across,
            rows = height * up;
        int[,] cells = new int[height, width];
        double[] finite = [.. values.Where(double.IsFinite)];
        if (finite.Length > 0)
        {
            (double least, double largest) = (finite.Min(), finite.Max());
            int? before = null;
            for (int column = 0; column < columns; column++)
            {
                double value = At(values, column, columns);
                if (!double.IsFinite(value))
                {
                    before = null;
                    continue;
                }
                double share = largest > least ? (value - least) / (largest - least) : 0.5;
                int row = (int)Math.Round((1 - share) * (rows - 1));
                // A steep step is a line and not two points.
                for (int between = Math.Min(row, before ?? row); between <= Math.Max(row, before ?? row); between++)
                    if (between == row || between != before)
                        cells[between / up, column / across] |= unicode ? Dots[column % 2, between % 4] : 1;
                before = row;
            }
        }
        return [.. Enumerable.Range(0, height).Select(Line)];

        string Line(int y)
        {
            StringBuilder line = new();
            for (int x = 0; x < width; x++)
                line.Append(
                    cells[y, x] == 0 ? ' '
                    : unicode ? (char)(0x2800 + cells[y, x])
                    : '*'
                );
            return line.ToString().TrimEnd();
        }
    }

    // Between fewer values than columns runs a straight line; of more, each column shows the last of its share.
    private static double At(IReadOnlyList<double> values, int column, int columns)
    {
        if (values.Count == 1)
            return values[0];
        if (values.Count > columns)
            return values[(int)((column + 1L) * values.Count / columns) - 1];
        double place = column * (values.Count - 1.0) / (columns - 1);
        (double before, double after) = (values[(int)place], values[(int)Math.Ceiling(place)]);
        double between = before + ((after - before) * (place - Math.Floor(place)));
        return double.IsFinite(between) ? between : values[(int)Math.Round(place)];
    }
}
