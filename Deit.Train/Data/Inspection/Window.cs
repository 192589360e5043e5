namespace Deit.Train.Data.Inspection;

/// <summary>A part of a picture of its own proportions.</summary>
/// <param name="Left">Its left edge as a share of the width.</param>
/// <param name="Top">Its upper edge as a share of the height.</param>
/// <param name="Share">Its width and height as a share of the picture's.</param>
internal readonly record struct Window(double Left, double Top, double Share)
{
    /// <summary>Whether it lies in the picture.</summary>
    public bool IsInside => Left >= 0 && Top >= 0 && Share > 0 && Left + Share <= 1 + 1e-9 && Top + Share <= 1 + 1e-9;

    /// <summary>The 26 windows that lie or are larger by a step, and those of them that lie in the picture.</summary>
    /// <param name="step">The step.</param>
    public IEnumerable<Window> Around(double step)
    {
        for (int share = -1; share <= 1; share++)
        for (int down = -1; down <= 1; down++)
        for (int across = -1; across <= 1; across++)
        {
            Window moved = new(Left + (across * step), Top + (down * step), Share + (share * step));
            if ((share, down, across) != (0, 0, 0) && moved.IsInside)
                yield return moved;
        }
    }
}

/// <summary>
/// The windows in which a cropped copy is looked for: 95, 90, 85 and 80 % of each side, in steps of 2.5 % of the picture.
/// Of a crop that takes 5 to 20 % away, each edge lies at most 2.5 % of the picture off that of one of them: a crop of
/// 92.5 % in a corner has that distance at two of its edges.
/// </summary>
internal sealed class WindowGrid
{
    private const double Step = 0.025;
    private const int Coarse = 8;

    private WindowGrid()
    {
        List<Window> windows = [];
        List<float[]> rows = [],
            columns = [];
        foreach (int twentieths in new[] { 1, 2, 3, 4 })
        {
            double share = 1 - (0.05 * twentieths);
            int places = (2 * twentieths) + 1;
            float[][] bases =
            [
                .. Enumerable.Range(0, places).Select(place => Spectrum.Basis(place * Step, share, 0, Coarse)),
            ];
            for (int down = 0; down < places; down++)
            for (int across = 0; across < places; across++)
            {
                windows.Add(new Window(across * Step, down * Step, share));
                rows.Add(bases[down]);
                columns.Add(bases[across]);
            }
        }
        (Windows, Rows, Columns) = (windows, rows, columns);
    }

    /// <summary>The grid.</summary>
    public static WindowGrid Instance { get; } = new();

    /// <summary>The windows.</summary>
    public IReadOnlyList<Window> Windows { get; }

    /// <summary>The transform of each window's rows, see <see cref="Spectrum.Basis"/>.</summary>
    public IReadOnlyList<float[]> Rows { get; }

    /// <summary>The transform of each window's columns.</summary>
    public IReadOnlyList<float[]> Columns { get; }
}
