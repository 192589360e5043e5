using System.Globalization;
using System.Text;

namespace Deit.Train.Pages;

/// <summary>Points of a chart that belong together.</summary>
/// <param name="Name">The name in the legend, plain text.</param>
/// <param name="Points">By x. A point without a finite value is a gap in the line.</param>
/// <param name="Style">1 to 5, the colour and dashes of the style sheet; 0 takes the place in the list.</param>
/// <param name="Dotted">True to draw a dot at each point.</param>
internal sealed record ChartSeries(
    string Name,
    IReadOnlyList<(double X, double Y)> Points,
    int Style = 0,
    bool Dotted = false
);

/// <summary>Lines over a common axis, as SVG inside of a page. Colours come from the page's style, in both themes.</summary>
/// <param name="title">What is drawn, with its unit; plain text.</param>
/// <param name="axis">What runs to the right; plain text.</param>
/// <param name="series">Up to five lines. Lines without a finite value are left out.</param>
internal sealed class LineChart(string title, string axis, params IReadOnlyList<ChartSeries> series)
{
    /// <summary>The styles that lines have.</summary>
    public const int Styles = 5;

    // More points than columns of a screen take room and show nothing.
    private const int MostPoints = 800;

    /// <summary>Values that the vertical axis has in any case, as 0 and 1 of a share.</summary>
    public IReadOnlyList<double> Including { get; init; } = [];

    /// <summary>How the last value stands in the legend; null for lines whose last value says nothing.</summary>
    public string? LastFormat { get; init; } = "G4";

    /// <summary>True where x is counted, as epochs are.</summary>
    public bool WholeX { get; init; } = true;

    /// <summary>The chart.</summary>
    public Markup ToMarkup()
    {
        ChartSeries[] drawn =
        [
            .. series
                .Where(line => line.Points.Any(point => double.IsFinite(point.Y)))
                .Select((line, i) => line.Style == 0 ? line with { Style = (i % Styles) + 1 } : line),
        ];
        if (drawn.Length == 0)
            return Markup.Of($"<figure><figcaption><b>{title}</b><br />No values so far.</figcaption></figure>\n");
        ChartFrame frame = new(
            Axis.Of(drawn.SelectMany(line => line.Points.Select(point => point.X)), whole: WholeX, tight: true),
            Axis.Of(drawn.SelectMany(line => line.Points.Select(point => point.Y)).Concat(Including))
        );
        Markup lines = Markup.Join(drawn.Select(line => Draw(line, frame)));
        Markup legend = Markup.Join(drawn.Select(Key));
        string names = string.Join(", ", drawn.Select(line => $"{line.Name}{LastText(line)}"));
        return Markup.Of(
            $"""
            <figure><figcaption><b>{title}</b><div class="legend">{legend}</div></figcaption>
            {frame.Draw($"{title} by {axis}: {names}", axis, lines)}</figure>

            """
        );
    }

    private Markup Key(ChartSeries line)
    {
        Markup sample = Markup.Of($"<path class=\"line line-{line.Style}\" d=\"M1 5H23\" />");
        return Markup.Of(
            $"<span><svg viewBox=\"0 0 24 10\" aria-hidden=\"true\">{sample}</svg>{line.Name}{Last(line)}</span>\n"
        );
    }

    private Markup Last(ChartSeries line) =>
        LastText(line) is { Length: > 0 } text ? Markup.Of($"&#160;<b>{text.TrimStart()}</b>") : Markup.Empty;

    private string LastText(ChartSeries line)
    {
        if (LastFormat is null)
            return "";
        double value = line.Points.Last(point => double.IsFinite(point.Y)).Y;
        string text = value.ToString(LastFormat, CultureInfo.InvariantCulture);
        // 4.5e-5 as on the axis, and not 4.5E-05.
        return " " + (text.Contains('E') ? value.ToString("0.###e-0", CultureInfo.InvariantCulture) : text);
    }

    private static Markup Draw(ChartSeries line, ChartFrame frame)
    {
        StringBuilder path = new(),
            dots = new();
        (double X, double Y)[] points = Thinned(line.Points);
        for (int i = 0; i < points.Length; i++)
        {
            if (!double.IsFinite(points[i].Y) || !double.IsFinite(points[i].X))
                continue;
            string place = frame.Place(points[i]);
            bool begins = i == 0 || !double.IsFinite(points[i - 1].Y),
                ends = i == points.Length - 1 || !double.IsFinite(points[i + 1].Y);
            path.Append(begins ? 'M' : 'L').Append(place);
            // A point between gaps has no line that would show it.
            if (line.Dotted || (begins && ends))
            {
                string[] at = place.Split(' ');
                dots.Append(
                    CultureInfo.InvariantCulture,
                    $"<circle class=\"fill-{line.Style}\" cx=\"{at[0]}\" cy=\"{at[1]}\" r=\"3\" />"
                );
            }
        }
        return Markup.Of(
            $"<path class=\"line line-{line.Style}\" d=\"{path.ToString()}\" />{new Markup(dots.ToString())}\n"
        );
    }

    // Of each stretch of points the least and the largest stay, so that no peak is lost.
    private static (double X, double Y)[] Thinned(IReadOnlyList<(double X, double Y)> points)
    {
        if (points.Count <= MostPoints)
            return [.. points];
        int size = (int)Math.Ceiling(points.Count / (MostPoints / 2.0));
        List<(double X, double Y)> kept = [];
        foreach ((double X, double Y)[] some in points.Chunk(size))
        {
            (double X, double Y)[] finite = [.. some.Where(point => double.IsFinite(point.Y))];
            if (finite.Length == 0)
                kept.Add(some[0]); // a gap
            else
            {
                (double X, double Y) least = finite.MinBy(point => point.Y),
                    largest = finite.MaxBy(point => point.Y);
                kept.AddRange(least.X <= largest.X ? [least, largest] : [largest, least]);
            }
        }
        return [.. kept];
    }
}
